"""An engine of the tests' own, for a machine whose engine lacks what tests need: it is there for one run of pytest.

    python -m tests.engines.own     exits with 0 where tests/docker takes one

All else, as tests/e2e, runs on the machine's engine: a run of pytest is in the network of one engine.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.engines import needs, network, suites
from tests.engines.running import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.engines.running import Engine

SUITE = suites.SUITES["trixie"]
# What would lead docker and buildx to another engine.
ELSEWHERE = ("DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "BUILDX_BUILDER")
LOOPBACK = "127.0.0.1:"


@contextmanager
def used(suite: suites.Suite = SUITE) -> Iterator[Engine]:
    """Bring up an engine; for a block, this thread and all that it starts use it and are in its network.

    The tests reach what its containers publish, and its containers what tests serve, as on a machine whose only engine
    it is. docker, skopeo and cosign are those of its suite.
    """
    registry = os.environ.get("BAKER_TEST_REGISTRY", "")
    port = int(registry.removeprefix(LOOPBACK)) if registry.startswith(LOOPBACK) else 0
    with (
        running(suite.name, port=port, published=False) as engine,
        network.entered(engine.network),
        pytest.MonkeyPatch.context() as patch,
    ):
        for name in ELSEWHERE:
            patch.delenv(name, raising=False)
        for name in ("DOCKER_HOST", "PATH"):
            patch.setenv(name, engine.environment[name])
        yield engine


if __name__ == "__main__":
    sys.exit(not needs.here() or bool(suites.lacking()))
