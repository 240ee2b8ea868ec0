"""The baked images, started by compose or one by one, with synthetic models."""

from __future__ import annotations

import os
import socket
import sysconfig
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import pytest

from baker.synthetic import stt_model, tts_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker.models.containers import Container

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
STT = os.environ.setdefault("BAKER_STT_IMAGE", "baker/stt:latest")
TTS = os.environ.setdefault("BAKER_TTS_IMAGE", "baker/tts:latest")
HARDENED: dict[str, Any] = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "tmpfs": {"/tmp": "mode=1777,exec"},
}
START_SECONDS = 240


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    for image in (STT, TTS):
        try:
            client.images.get(image)
        except docker.errors.ImageNotFound:
            pytest.fail(f"there is no image {image}: run `make images` first")
    yield client
    client.close()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with synthetic models, readable by any uid."""
    folder = tmp_path_factory.mktemp("models")
    stt_model.write_model(folder / "stt", seen_as="/models")
    stt_model.write_model(folder / "dead", seen_as="/models", causal=False)
    tts_model.write_model(folder / "tts", seen_as="/models")
    for path in (folder, *folder.parents):
        if path.stat().st_uid == os.getuid() and path != Path("/tmp"):
            path.chmod(path.stat().st_mode | 0o055)
    os.environ["BAKER_MODELS"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def docker_compose_file() -> str:
    return str(HERE / "compose.yml")


@pytest.fixture(scope="session")
def addresses(engine: docker.DockerClient, models: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """Where both services of the compose file listen, once they do."""
    assert engine.ping()
    assert models.exists()
    services = request.getfixturevalue("docker_services")
    found = {name: f"127.0.0.1:{services.port_for(name, 8080)}" for name in ("stt", "tts")}
    for address in found.values():
        services.wait_until_responsive(partial(answers, address), timeout=START_SECONDS, pause=0.2)
    return found


@pytest.fixture
def start(engine: docker.DockerClient) -> Callable[..., Any]:
    """Start a container for a `with` block; it is removed at its end."""

    @contextmanager
    def started(image: str, command: list[str], **options: Any) -> Iterator[Container]:
        container = engine.containers.run(image, command, detach=True, **options)
        try:
            yield container
        finally:
            container.remove(force=True, v=True)

    return started


def answers(address: str) -> bool:
    """Whether the server speaks HTTP there: a published port alone accepts connections before it does."""
    host, _, port = address.partition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=2) as connection:
            connection.sendall(b"GET /api/build_info HTTP/1.0\r\n\r\n")
            return connection.recv(12).startswith(b"HTTP/1")
    except OSError:
        return False


def published(container: Container) -> str:
    """Return the address of a container's port 8080 once the server listens there."""
    wait(lambda: listening(container), container)
    container.reload()
    port = (container.ports["8080/tcp"] or [])[0]
    return f"127.0.0.1:{port['HostPort']}"


def listening(container: Container) -> bool:
    return b"listening on" in container.logs()


def wait(ready: Callable[[], bool], container: Container, seconds: float = START_SECONDS) -> None:
    """Wait until something holds; fail with the container's log when it ends or takes too long."""
    deadline = time.monotonic() + seconds
    while not ready():
        container.reload()
        if container.status == "exited" or time.monotonic() > deadline:
            log = container.logs().decode(errors="replace")
            pytest.fail(f"the container is {container.status}:\n{log[-3000:]}")
        time.sleep(0.1)


def inside(engine: docker.DockerClient, container: Container, *arguments: str) -> str:
    """Run the tests' client in the network of a container that has none, and return what it printed."""
    # The image's Python is newer than the one here; both libraries fall back to pure Python.
    output = engine.containers.run(
        TTS,
        ["-m", "tests.synthetic.clients", "127.0.0.1:8080", *arguments],
        entrypoint="/opt/venv/bin/python",
        environment={"PYTHONPATH": "/project:/packages", "PYTHONDONTWRITEBYTECODE": "1"},
        network_mode=f"container:{container.id}",
        volumes={
            str(PROJECT): {"bind": "/project", "mode": "ro"},
            sysconfig.get_path("purelib"): {"bind": "/packages", "mode": "ro"},
        },
        user="0",
        working_dir="/project",
        remove=True,
    )
    return output.decode()
