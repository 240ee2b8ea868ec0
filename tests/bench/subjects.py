"""What is measured."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import websockets

from tests.bench.measure import Row, pair, seconds
from tests.synthetic import stt_model
from tests.synthetic.clients import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker.models.containers import Container

STT, TTS = "baker/stt:latest", "baker/tts:latest"
PROJECT = Path(__file__).parents[2]
GIGABYTE, MEGABYTE = 10**9, 10**6
BUDGETS = {STT: 1.35, TTS: 7.6}
NAMESPACE = "baker-bench"


def sizes(runs: int) -> Iterator[Row]:
    """Yield each image's size as `docker image inspect` gives it, beside its target."""
    del runs
    client = docker.from_env()
    for image, budget in BUDGETS.items():
        size = client.api.inspect_image(image)["Size"] / GIGABYTE
        yield Row(
            what=f"size of {image}", found=f"{size:.2f} GB", beside=f"target {budget} GB", ratio=round(size / budget, 3)
        )


def help_page(runs: int) -> Iterator[Row]:
    """Yield what `baker --help` takes beside a Typer program of one command."""
    with tempfile.TemporaryDirectory() as folder:
        least = Path(folder, "least.py")
        least.write_text("import typer\napp = typer.Typer()\n@app.command()\ndef main() -> None:\n  pass\napp()\n")
        yield pair(
            "`baker --help`, beside the least Typer program's",
            command(sys.executable, "-m", "baker", "--help"),
            command(sys.executable, str(least), "--help"),
            runs=runs,
        )


def start(runs: int) -> Iterator[Row]:
    """Yield container start to the model loop's `Ready`, by the start script and by the bare binary."""
    client = docker.from_env()
    with tempfile.TemporaryDirectory() as folder:
        stt_model.write_model(Path(folder, "models"), seen_as="/models")
        Path(folder).chmod(0o755)
        arguments = ["worker", "--config", "/models/stt.toml", "--cpu"]
        volumes = {f"{folder}/models": {"bind": "/models", "mode": "ro"}}

        def ready(**options: Any) -> float:
            def run() -> None:
                ports = {"8080": ("127.0.0.1", None)}
                launch: Any = client.containers.run
                container = launch(STT, arguments, detach=True, volumes=volumes, ports=ports, **options)
                running.append(container)
                container.reload()
                asyncio.run(said_ready(container.ports["8080/tcp"][0]["HostPort"]))

            running: list[Container] = []
            try:
                return seconds(run)
            finally:
                for container in running:
                    container.remove(force=True)

        yield pair(
            "start to `Ready`, beside the bare binary in the same image",
            ready,
            lambda: ready(
                entrypoint=["/usr/bin/tini", "--", "/opt/baker/bin/moshi-server-cuda-80"],
                environment={"LD_LIBRARY_PATH": "/opt/baker/stubs"},
            ),
            runs=runs,
        )


def rebuild(runs: int) -> Iterator[Row]:
    """Yield a build after a change of a config, and an unchanged one beside bake on the same files."""
    with project() as root:
        baker = command(sys.executable, "-m", "baker", "build", "stt", cwd=root)
        baker()
        (context,) = (root / ".baker" / "context").iterdir()
        bake = command("docker", "buildx", "bake", "--file=docker-bake.json", "stt", "--load", cwd=context)
        yield pair("unchanged `baker build stt`, beside `docker buildx bake`", baker, bake, runs=runs)
        config = root / "services/stt/configs/stt.toml"
        taken = []
        for number in range(runs):
            config.write_text(f"{config.read_text()}# {number}\n")
            taken.append(baker())
        yield Row(what="`baker build stt` after a change of its config", found=f"{sorted(taken)[runs // 2]:.1f} s")


SUBJECTS: dict[str, Callable[[int], Iterator[Row]]] = {
    "sizes": sizes,
    "help": help_page,
    "start": start,
    "rebuild": rebuild,
}


def command(*argv: str, cwd: Path | None = None) -> Callable[[], float]:
    """Return an action that runs a command and returns its seconds."""
    return lambda: seconds(lambda: subprocess.run(argv, cwd=cwd, check=True, capture_output=True))


@contextmanager
def project() -> Iterator[Path]:
    """Yield a copy of the project whose images have names of their own, which are removed at the end."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(PROJECT / "services", root / "services", ignore=shutil.ignore_patterns("target"))
        shutil.copy(PROJECT / "baker.lock", root)
        (root / "baker.toml").write_text(f'[images]\nnamespace = "{NAMESPACE}"\n')
        try:
            yield root
        finally:
            client = docker.from_env()
            for image in client.images.list():
                for tag in image.tags:
                    if tag.startswith(f"{NAMESPACE}/"):
                        client.images.remove(tag)


async def said_ready(port: str) -> None:
    """Return when the model loop has said `Ready`."""
    headers = {"kyutai-api-key": KEY}
    while True:
        try:
            url = f"ws://127.0.0.1:{port}/api/asr-streaming"
            async with websockets.connect(url, additional_headers=headers) as socket:
                await socket.recv()
                return
        except (OSError, websockets.exceptions.WebSocketException):
            await asyncio.sleep(0.005)
