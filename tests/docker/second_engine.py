"""A second Docker engine, empty, in a container of the first one: the machine next door."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.docker import image
from tests.engines import suites

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from docker import DockerClient

# What the root's suite has.
VERSION = suites.SUITES["trixie"].docker
# A network of its own: in the host's, an engine removes the bridge of the host's engine when it starts.
CONFIG = {"mtu": 1400, "features": {"containerd-snapshotter": True}}
COMMAND = ["dockerd", "--host=unix:///second/docker.sock", "--config-file=/second/daemon.json"]
# A registry on the host's 127.0.0.1 needs no TLS as long as it has that address: it reaches the second engine's own
# 127.0.0.1 through a socket in a folder that both see.
LEND = ["socat", "UNIX-LISTEN:/second/registry.sock,fork,mode=666", "TCP:{address}"]
TAKE = "socat TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr UNIX-CONNECT:/second/registry.sock & exec {command}"
PATIENCE = 60


@contextmanager
def running(
    client: DockerClient, root: str, *, registry: str = "", config: Mapping[str, Any] | None = None
) -> Iterator[str]:
    """Start a second engine with the root image in its store, and yield its address, as for DOCKER_HOST.

    Args:
        client: the first engine.
        root: the image that it starts from and gets.
        config: more for its daemon.json.
        registry: one of the host's, as in 127.0.0.1:5000, that it reaches under the same address.
    """
    more = "VOLUME /var/lib/docker\n"
    launch: Any = client.containers.run
    with (
        image.made(client, "second-engine", root, "docker.io socat", more) as tag,
        tempfile.TemporaryDirectory() as folder,
    ):
        Path(folder, "daemon.json").write_text(json.dumps({**CONFIG, **(config or {})}))
        options: dict[str, Any] = {"detach": True, "volumes": {folder: {"bind": "/second", "mode": "rw"}}}
        command, started = COMMAND, []
        try:
            if registry:
                lend = [word.format(address=registry) for word in LEND]
                started.append(launch(tag, lend, network_mode="host", **options))
                port = registry.rpartition(":")[2]
                command = ["sh", "-c", TAKE.format(port=port, command=" ".join(COMMAND))]
            started.append(launch(tag, command, privileged=True, **options))
            host = f"unix://{folder}/docker.sock"
            wait(host, started[-1])
            with subprocess.Popen(["docker", "image", "save", root], stdout=subprocess.PIPE) as saved:
                subprocess.run(
                    ["docker", "--host", host, "image", "load"], stdin=saved.stdout, check=True, capture_output=True
                )
            yield host
        finally:
            for container in reversed(started):
                container.stop(timeout=20)
                container.remove(force=True, v=True)


def wait(host: str, container: Any) -> None:
    """Return when the engine answers."""
    give_up = time.monotonic() + PATIENCE
    while subprocess.run(["docker", "--host", host, "version"], capture_output=True, check=False).returncode:
        if time.monotonic() > give_up:
            raise TimeoutError(container.logs(tail=20).decode())
        time.sleep(0.2)
