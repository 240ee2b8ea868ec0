"""The baked images, started by compose or one by one, with synthetic models."""

from __future__ import annotations

import os
import socket
import subprocess
import sysconfig
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import pytest
from playwright.sync_api import sync_playwright

from baker.synthetic import stt_model, tts_model
from tests import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker.models.containers import Container
    from playwright.sync_api import Playwright

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
def compose(engine: docker.DockerClient, models: Path) -> Iterator[Callable[..., None]]:
    """Run a command of compose on its file; what it started is removed at the end."""
    assert engine.ping()
    assert models.exists()

    def run_compose(*argv: str) -> None:
        command = ["docker", "compose", f"--project-name={run.name('compose')}", f"--file={HERE / 'compose.yml'}"]
        done = subprocess.run([*command, *argv], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    yield run_compose
    for service in ("stt", "tts"):
        _woken(engine, service)
    run_compose("down", "--volumes")


@pytest.fixture(scope="module")
def stt(compose: Callable[..., None], engine: docker.DockerClient) -> Iterator[str]:
    """Where the compose file's speech-to-text listens, once it does."""
    with _awake(compose, engine, "stt") as address:
        yield address


@pytest.fixture(scope="module")
def tts(compose: Callable[..., None], engine: docker.DockerClient) -> Iterator[str]:
    """Where the compose file's text-to-speech listens, once it does."""
    with _awake(compose, engine, "tts") as address:
        yield address


@contextmanager
def _awake(compose: Callable[..., None], engine: docker.DockerClient, service: str) -> Iterator[str]:
    """Have a service while the block lasts; it then sleeps until a module wants it, as idle it takes 0.1 of a core."""
    container = _woken(engine, service)
    if container is None:
        compose("up", "--detach", service)
        container = _woken(engine, service)
        assert container is not None
    address = published(container)
    wait(lambda: answers(address), container)
    yield address
    # Not every kernel can.
    with suppress(docker.errors.APIError):
        container.pause()


def _woken(engine: docker.DockerClient, service: str) -> Container | None:
    """Return a service's container, which sleeps no longer; None where it does not run."""
    labels = [f"com.docker.compose.project={run.name('compose')}", f"com.docker.compose.service={service}"]
    container = next(iter(engine.containers.list(filters={"label": labels})), None)
    if container is not None and container.status == "paused":
        container.unpause()
    return container


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Drives browsers. Of a module: while it is there, asyncio cannot run."""
    with sync_playwright() as started:
        yield started


@pytest.fixture
def start(engine: docker.DockerClient) -> Callable[..., Any]:
    """Start a container for a `with` block; it is removed at its end."""

    @contextmanager
    def started(image: str, command: list[str], **options: Any) -> Iterator[Container]:
        container = engine.containers.run(image, command, detach=True, labels=run.LABELS, **options)
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
        ["-m", "baker.synthetic.answers", "127.0.0.1:8080", *arguments],
        entrypoint="/opt/venv/bin/python",
        environment={"PYTHONPATH": "/project:/packages", "PYTHONDONTWRITEBYTECODE": "1"},
        network_mode=f"container:{container.id}",
        volumes={
            str(PROJECT): {"bind": "/project", "mode": "ro"},
            sysconfig.get_path("purelib"): {"bind": "/packages", "mode": "ro"},
        },
        user="0",
        working_dir="/project",
        labels=run.LABELS,
        remove=True,
    )
    return output.decode()
