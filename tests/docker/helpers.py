"""Programs that tests need beside the engine, from Debian, in containers: nobody has to install them."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient

IMAGE = (
    "ARG ROOT\nFROM $ROOT\nRUN apt-get update && apt-get install --yes --no-install-recommends {} && apt-get clean\n"
)
REGISTRY = f"baker-test-registry-{os.getpid()}:latest"
# Debian's own config asks for a login.
CONFIG = """\
version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: /var/lib/docker-registry}}, delete: {{enabled: true}}}}
http: {{addr: "{address}"}}
"""
COSIGN = f"baker-test-cosign-{os.getpid()}:latest"
# The folders that tests work in, and the host's network: a registry on 127.0.0.1 is meant as it stands.
WRAPPER = """#!/bin/sh
exec docker run --rm --network=host --env=COSIGN_PASSWORD --volume="$PWD:$PWD" --workdir="$PWD" \\
  --volume=/tmp:/tmp {image} cosign "$@"
"""
PATIENCE = 60


@contextmanager
def image(client: DockerClient, tag: str, root: str, package: str, more: str = "") -> Iterator[str]:
    """Make an image of a root with a package of Debian's, and yield its tag; the builder's cache keeps its layers."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Dockerfile").write_text(IMAGE.format(package) + more)
        build = ["docker", "buildx", "build", "--load", f"--tag={tag}", f"--build-arg=ROOT={root}", folder]
        subprocess.run(build, check=True, capture_output=True)
    try:
        yield tag
    finally:
        client.images.remove(tag)


@contextmanager
def registry(
    client: DockerClient, root: str, more: str = "", volumes: dict[str, dict[str, str]] | None = None, **options: Any
) -> Iterator[tuple[str, Any]]:
    """Run a registry without TLS, and without login unless `more` of its config asks for one.

    Yields:
        Its address, and its container.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    launch: Any = client.containers.run
    command = ["docker-registry", "serve", "/config.yml"]
    with image(client, REGISTRY, root, "docker-registry") as tag, tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.yml")
        config.write_text(CONFIG.format(address=address) + more)
        volumes = {str(config): {"bind": "/config.yml", "mode": "ro"}} | (volumes or {})
        container = launch(tag, command, detach=True, network_mode="host", volumes=volumes, **options)
        try:
            give_up = time.monotonic() + PATIENCE
            while not _answers(address):
                assert time.monotonic() < give_up, container.logs(tail=20).decode()
                time.sleep(0.1)
            yield address, container
        finally:
            container.remove(force=True, v=True)


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(f"http://{address}/v2/", timeout=1).close()
    except urllib.error.HTTPError as error:
        # One that wants a login.
        return error.code == HTTPStatus.UNAUTHORIZED
    except (urllib.error.URLError, OSError):
        return False
    return True


@contextmanager
def cosign(client: DockerClient, root: str) -> Iterator[Path]:
    """Yield a folder for PATH with a `cosign` that runs in a container."""
    with image(client, COSIGN, root, "cosign") as tag, tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "cosign")
        script.write_text(WRAPPER.format(image=tag))
        script.chmod(0o755)
        yield Path(folder)
