"""The command line: what its help costs, and what a build costs when next to nothing has changed."""

from __future__ import annotations

import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import tomlkit

from baker import build, engine, pipeline
from baker.project import find
from tests.bench.images import layers
from tests.bench.measure import Row, alternate, compared, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker import DockerClient

ROOT = Path(__file__).parents[2]
NAMESPACE = "baker-bench"
IMAGE = f"{NAMESPACE}/stt:latest"
LEAST = "import typer\napp = typer.Typer()\n@app.command()\ndef main() -> None:\n  pass\napp()\n"


def help_page(runs: int) -> Iterator[Row]:
    """Yield what `baker --help` takes beside a Typer program of one command."""
    with tempfile.TemporaryDirectory() as folder:
        least = Path(folder, "least.py")
        least.write_text(LEAST)
        ours = command(sys.executable, "-m", "baker", "--help")
        theirs = command(sys.executable, str(least), "--help")
        yield compared("`baker --help`, beside the least Typer program's", alternate(ours, theirs, runs))


def rebuild(runs: int) -> Iterator[Row]:
    """Yield an unchanged build beside bake alone, and a build after a change of a config with what it replaces."""
    with copied_project() as root:
        ours = command(sys.executable, "-m", "baker", "build", "stt", "--project", str(root))
        ours()
        theirs = command(*bake(root), cwd=next((root / ".baker/context").iterdir()))
        yield compared("unchanged `baker build stt`, beside `docker buildx bake`", alternate(ours, theirs, runs))
        yield changed(root / "services/stt/configs/stt.toml", ours, runs)


def changed(config: Path, build_it: Callable[[], float], runs: int) -> Row:
    """Return what builds take after one line more in a config, and the most that one replaces."""
    taken, replaced = [], []
    for number in range(runs):
        before = layers(IMAGE)
        # With a name it is removed at the end; the build takes the one that it has.
        engine.tag(IMAGE, f"{NAMESPACE}/stt:before-{number}")
        # Never the same line twice: a change that an earlier benchmark made would come from the cache.
        config.write_text(f"{config.read_text()}# {uuid.uuid4()}\n")
        taken.append(build_it())
        replaced.append([size for digest, size in layers(IMAGE).items() if digest not in before])
    most = max(replaced, key=sum)
    return Row(
        what="`baker build stt` after a change of its config",
        unit="s",
        found=statistics.median(taken),
        target="≤ 5 s, layers < 1 MB",
        note=f"replaces {len(most)} of {len(before)} layers, {sum(most) / 1000:.1f} kB; slowest {max(taken):.1f} s",
    )


def bake(root: Path) -> list[str]:
    """Return bake's argument list for the same image: what baker calls, but for secrets, which no cached step reads."""
    target = f"{NAMESPACE}/stt:bake"
    output = pipeline.output(engine.describe(), find(root).settings())
    return build.arguments(builder="", secrets=(), output=output, tags={"stt": target})


def command(*argv: str, cwd: Path = ROOT) -> Callable[[], float]:
    """Return an action that runs a command and returns its seconds."""
    return lambda: seconds(lambda: run(argv, cwd))


def run(argv: tuple[str, ...], cwd: Path) -> None:
    """Run a command to its end, and on Ctrl-C let it tidy up: subprocess.run would kill it a moment later."""
    # A session of its own: the terminal's signal would reach it a second time, in the middle of tidying up.
    with subprocess.Popen(
        argv, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    ) as process:
        try:
            printed, _ = process.communicate()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            process.communicate()
            raise
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, argv, printed)


@contextmanager
def copied_project() -> Iterator[Path]:
    """Yield a copy of the project whose images have names of their own, which are removed at the end."""
    with tempfile.TemporaryDirectory() as folder, engine.connect() as client:
        root = Path(folder)
        shutil.copytree(ROOT / "services", root / "services", ignore=shutil.ignore_patterns("target"))
        shutil.copy(ROOT / "baker.lock", root)
        # The settings stay the user's: other mirrors or another capability would compile all over again.
        settings = tomlkit.parse((ROOT / "baker.toml").read_text())
        settings["images"] = {"registry": "", "namespace": NAMESPACE, "tag": "latest"}
        (root / "baker.toml").write_text(tomlkit.dumps(settings))
        try:
            yield root
        finally:
            remove(client)


def remove(client: DockerClient) -> None:
    """Remove the benchmark's images, and what an interrupted build left running on them."""
    for container in client.containers.list(all=True, ignore_removed=True):
        if container.attrs["Config"]["Image"].startswith(f"{NAMESPACE}/"):
            container.remove(force=True, v=True)
    for image in client.images.list(f"{NAMESPACE}/*"):
        # The same image may have names of the user's.
        for tag in (name for name in image.tags if name.startswith(f"{NAMESPACE}/")):
            client.images.remove(tag)
