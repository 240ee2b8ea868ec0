"""An image with one more package of Debian's, for a program that tests need: nobody has to install it."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from docker.errors import APIError

from tests import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient

TEXT = "ARG ROOT\nFROM $ROOT\nRUN apt-get update && apt-get install --yes --no-install-recommends {} && apt-get clean\n"


@contextmanager
def made(client: DockerClient, name: str, root: str, packages: str, more: str = "") -> Iterator[str]:
    """Make an image of a root with packages of Debian's, and yield its tag; the builder's cache keeps its layers."""
    tag = f"{run.name(name)}:latest"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Dockerfile").write_text(TEXT.format(packages) + more)
        build = ["docker", "buildx", "build", "--load", f"--tag={tag}", f"--build-arg=ROOT={root}", folder]
        subprocess.run(build, check=True, capture_output=True)
    try:
        yield tag
    finally:
        # A container that goes in a moment holds it: it is removed when the run ends.
        with suppress(APIError):
            client.images.remove(tag)
