"""A second Docker engine, empty, in a container of the first one: the machine next door."""

from __future__ import annotations

import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient

TAG = "baker-test-second-engine:latest"
# The host's network, since a registry on 127.0.0.1 needs no TLS; so the engine may not touch the host's own rules.
CONFIG = '{"bridge": "none", "iptables": false, "ip6tables": false, "features": {"containerd-snapshotter": true}}'
DOCKERFILE = f"""\
ARG ROOT
FROM $ROOT
RUN apt-get update && apt-get install --yes --no-install-recommends docker.io && rm -rf /var/lib/apt/lists/*
RUN mkdir -p /etc/docker && echo '{CONFIG}' > /etc/docker/daemon.json
VOLUME /var/lib/docker
CMD ["dockerd", "--host=unix:///second/docker.sock"]
"""
PATIENCE = 60


@contextmanager
def running(client: DockerClient, root: str) -> Iterator[str]:
    """Start a second engine with the root image in its store, and yield its address, as for DOCKER_HOST."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Dockerfile").write_text(DOCKERFILE)
        build = ["docker", "buildx", "build", "--load", f"--tag={TAG}", f"--build-arg=ROOT={root}", folder]
        subprocess.run(build, check=True, capture_output=True)
        launch: Any = client.containers.run
        volumes = {folder: {"bind": "/second", "mode": "rw"}}
        container = launch(TAG, detach=True, privileged=True, network_mode="host", volumes=volumes)
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
            # The builder's cache keeps its layers for the next time.
            client.images.remove(TAG)


def wait(host: str, container: Any) -> None:
    """Return when the engine answers."""
    give_up = time.monotonic() + PATIENCE
    while subprocess.run(["docker", "--host", host, "version"], capture_output=True, check=False).returncode:
        if time.monotonic() > give_up:
            raise TimeoutError(container.logs(tail=20).decode())
        time.sleep(0.2)
