"""Programs of Debian's in a container, for machines that have none: cosign and skopeo."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docker import image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient

# The folders that tests work in, and the host's network: a registry on 127.0.0.1 is meant as it stands. baker sets
# DOCKER_CONFIG and SSL_CERT_FILE for the program inside; docker itself goes on with the config of the tests.
WRAPPER = """#!/bin/sh
exec docker --config={config} run --rm --network=host --env=COSIGN_PASSWORD --env=DOCKER_CONFIG --env=SSL_CERT_FILE \\
  --volume="$PWD:$PWD" --workdir="$PWD" --volume=/tmp:/tmp {image} {program} "$@"
"""


# Debian's development suite, for programs that are newer than the root's own. A mirror may be some weeks behind: its
# signature counts all the same.
NEWER = """\
RUN echo 'deb [check-valid-until=no] http://deb.debian.org/debian sid main' > /etc/apt/sources.list.d/sid.list \\
  && apt-get update && apt-get install --yes --no-install-recommends --target-release=sid {program}
"""


@contextmanager
def on_path(client: DockerClient, root: str, program: str) -> Iterator[None]:
    """Put a program on PATH: the machine's, or one that runs in a container."""
    if shutil.which(program):
        yield
        return
    with of_root(client, root, program) as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", folder, prepend=os.pathsep)
        yield


def of_root(client: DockerClient, root: str, program: str) -> AbstractContextManager[str]:
    """Yield a folder for PATH with a program of the root's own suite, which runs in a container."""
    return _contained(client, program, root, program)


def newer(client: DockerClient, root: str, program: str) -> AbstractContextManager[str]:
    """Yield a folder for PATH with a program of Debian's development suite, which runs in a container."""
    return _contained(client, f"{program}-sid", root, program, NEWER.format(program=program))


@contextmanager
def _contained(client: DockerClient, name: str, root: str, program: str, more: str = "") -> Iterator[str]:
    with image.made(client, name, root, program, more) as tag, tempfile.TemporaryDirectory() as folder:
        _wrap(Path(folder, program), tag)
        yield folder


def _wrap(script: Path, tag: str) -> None:
    config = os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker"
    script.write_text(WRAPPER.format(config=config, image=tag, program=script.name))
    script.chmod(0o755)
