"""Fixtures for the health probe."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import run as this_run
from tests.docker.health.standin import Standin, docker, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.docker.health.standin import Start

TOP = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def image(debian_root: str) -> Iterator[str]:
    tag = f"{this_run.name('health')}:latest"
    dockerfile = str(Path(__file__).with_name("Dockerfile"))
    root = ("--build-arg", f"ROOT={debian_root}")
    docker("buildx", "build", "--load", *root, "--target", "probed", "--tag", tag, "--file", dockerfile, str(TOP))
    yield tag
    docker("image", "rm", "--force", tag)


@pytest.fixture
def start(image: str) -> Iterator[Start]:
    names: list[str] = []

    def start(kind: str, *argv: str, run: tuple[str, ...] = (), entry: str = "", wait: bool = True) -> Standin:
        name = this_run.name(f"health-{uuid.uuid4().hex[:8]}")
        names.append(name)
        # --init: as in the images, so that the server is not process 1 and a signal ends it.
        hardened = ("--init", "--read-only", "--tmpfs", "/tmp:mode=1777", "--cap-drop", "ALL", "--user", "12345")
        entrypoint = ("--entrypoint", entry) if entry else ()
        command = argv if entry else ("--config", f"configs/{kind}.toml", *argv)
        docker("run", "--detach", "--name", name, *hardened, *run, *entrypoint, image, *command)
        standin = Standin(name=name)
        if wait:
            until(standin.listens)
        return standin

    yield start
    if names:
        docker("rm", "--force", "--volumes", *names)
