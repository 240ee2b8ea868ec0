"""What writing OCI images takes of a builder and of the engine's image store, asked before anything is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baker import build
from baker.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baker.engine import Engine

# The first that write a build's own time into layers, and OCI images with a provenance from Docker's own builder.
WRITES_OCI = build.Since(docker=(26, 0), buildkit=(0, 13))


def require(builders: Sequence[str], here: Engine, what: str) -> None:
    """Raise EngineError unless builders write OCI images and their times.

    Args:
        builders: their names; none is the current one.
        here: the engine, whose store a builder of its own writes to.
        what: the option or the command that wants it.
    """
    for builder in builders or ("",):
        driver, since = build.driver(builder, here.version, WRITES_OCI)
        if not since:
            raise EngineError(
                f"{what} needs Docker 26 or BuildKit 0.13, and this one is older: update it, or name another with "
                "--builder"
            )
        if driver == "docker" and not here.containerd_store:
            raise EngineError(
                f'{what} needs the containerd image store: put "features": {{"containerd-snapshotter": true}} into '
                "the engine's daemon.json and restart it, or name another builder with --builder"
            )
