"""A second Docker engine, empty, in a container of the first one: the machine next door."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.docker import helpers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient

TAG = "baker-test-second-engine:latest"
# On the host's network a registry on 127.0.0.1 needs no TLS; but the engine may not touch the host's own rules, so that
# a step of a build reaches nothing. On a network of its own it does.
HOST_NETWORK = {"bridge": "none", "iptables": False, "ip6tables": False}
OWN_NETWORK = {"mtu": 1400}
CONTAINERD_STORE = {"features": {"containerd-snapshotter": True}}
COMMAND = ["dockerd", "--host=unix:///second/docker.sock", "--config-file=/second/daemon.json"]
PATIENCE = 60


@contextmanager
def running(client: DockerClient, root: str, *, compiles: bool = False) -> Iterator[str]:
    """Start a second engine with the root image in its store, and yield its address, as for DOCKER_HOST.

    With `compiles`, what a build runs there reaches the network, and the engine itself no registry of the host.
    """
    more = "VOLUME /var/lib/docker\n"
    with helpers.image(client, TAG, root, "docker.io", more), tempfile.TemporaryDirectory() as folder:
        config = (OWN_NETWORK if compiles else HOST_NETWORK) | CONTAINERD_STORE
        Path(folder, "daemon.json").write_text(json.dumps(config))
        launch: Any = client.containers.run
        volumes = {folder: {"bind": "/second", "mode": "rw"}}
        network = "bridge" if compiles else "host"
        container = launch(TAG, COMMAND, detach=True, privileged=True, network_mode=network, volumes=volumes)
        try:
            host = f"unix://{folder}/docker.sock"
            wait(host, container)
            with subprocess.Popen(["docker", "image", "save", root], stdout=subprocess.PIPE) as saved:
                subprocess.run(
                    ["docker", "--host", host, "image", "load"], stdin=saved.stdout, check=True, capture_output=True
                )
            yield host
        finally:
            container.stop(timeout=20)
            container.remove(force=True, v=True)


def wait(host: str, container: Any) -> None:
    """Return when the engine answers."""
    give_up = time.monotonic() + PATIENCE
    while subprocess.run(["docker", "--host", host, "version"], capture_output=True, check=False).returncode:
        if time.monotonic() > give_up:
            raise TimeoutError(container.logs(tail=20).decode())
        time.sleep(0.2)
