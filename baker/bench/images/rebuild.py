"""The command line: what its help costs, and what a build costs when next to nothing has changed."""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from baker.bench.images.image import layers
from baker.bench.images.timing import Row, alternate, compared, seconds
from baker.bench.startup import copies
from baker.build import pipeline
from baker.buildkit import bake
from baker.config.project import find
from baker.system import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from baker.bench.startup.copies import Copy
    from baker.build.request import Request
    from baker.config.project import Project
    from baker.engine.client import Docker

NAMESPACE = "baker-bench"
LEAST = "import typer\napp = typer.Typer()\n@app.command()\ndef main() -> None:\n  pass\napp()\n"


def help_page(source: Request, engine: Docker, runs: int) -> Iterator[Row]:
    """Yield what `baker --help` takes beside a Typer program of one command."""
    del source
    with tempfile.TemporaryDirectory() as folder:
        least = Path(folder, "least.py")
        least.write_text(LEAST)
        ours = command(engine, sys.executable, "-m", "baker", "--help")
        theirs = command(engine, sys.executable, str(least), "--help")
        yield compared("`baker --help`, beside the least Typer program's", alternate(ours, theirs, runs))


def rebuild(source: Request, engine: Docker, runs: int) -> Iterator[Row]:
    """Yield an unchanged build beside bake alone, and a build after a change of a config with what it replaces."""
    with services_copied(source.project, engine) as copy:
        ours = command(engine, sys.executable, "-m", "baker", "build", "stt", "--project", str(copy.root))
        ours()
        theirs = command(engine, *bake_command(copy, engine), cwd=next((copy.root / ".baker/context").iterdir()))
        yield compared("unchanged `baker build stt`, beside `docker buildx bake`", alternate(ours, theirs, runs))
        yield changed(copy, engine, ours, runs)


def changed(copy: Copy, engine: Docker, build_it: Callable[[], float], runs: int) -> Row:
    """Return what builds take after one line more in a config, and the most that one replaces."""
    config, image = copy.root / "services" / "stt" / "configs" / "stt.toml", copy.image("stt")
    taken, replaced = [], []
    for number in range(runs):
        before = layers(engine, image)
        # With a name it is removed at the end; the build takes the one that it has.
        engine.tag(image, f"{NAMESPACE}/stt:before-{number}")
        # Never the same line twice: a change that an earlier benchmark made would come from the cache.
        config.write_text(f"{config.read_text()}# {uuid.uuid4()}\n")
        taken.append(build_it())
        replaced.append([size for digest, size in layers(engine, image).items() if digest not in before])
    most = max(replaced, key=sum)
    return Row(
        what="`baker build stt` after a change of its config",
        unit="s",
        found=statistics.median(taken),
        target="≤ 5 s, layers < 1 MB",
        note=f"replaces {len(most)} of {len(before)} layers, {sum(most) / 1000:.1f} kB; slowest {max(taken):.1f} s",
    )


def bake_command(copy: Copy, engine: Docker) -> list[str]:
    """Return bake's argument list for the same image: what baker calls, but for secrets, which no cached step reads."""
    output = pipeline.output(engine.describe(), find(copy.root).read_settings())
    return bake.arguments(builder="", secrets=(), output=output, tags={"stt": f"{NAMESPACE}/stt:bake"})


def command(engine: Docker, *argv: str, cwd: Path | None = None) -> Callable[[], float]:
    """Return an action that runs a command and returns its seconds."""
    return lambda: seconds(lambda: copies.command(argv, cwd=cwd, environment=engine.environment, say=lambda _: None))


@contextmanager
def services_copied(source: Project, engine: Docker) -> Iterator[Copy]:
    """Yield a copy of a project with its services."""
    with copies.copied(source, NAMESPACE, engine) as copy:
        shutil.copytree(source.services_folder, copy.root / "services", ignore=files.ignore_leftovers)
        yield copy
