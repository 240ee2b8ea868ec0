"""A registry in a container, for machines that have none."""

from __future__ import annotations

import socket
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.docker import image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient

# Debian's own config asks for a login.
CONFIG = """\
version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: /var/lib/docker-registry}}, delete: {{enabled: true}}}}
http: {{addr: "{address}"}}
"""
PATIENCE = 60


@contextmanager
def running(
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
    with image.made(client, "registry", root, "docker-registry") as tag, tempfile.TemporaryDirectory() as folder:
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
