"""`baker bench`: what starts, images and commands cost, measured here and now."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from baker.cli import context, options

if TYPE_CHECKING:
    from baker.bench.suite import Found

app = typer.Typer()

What = Annotated[
    list[str] | None,
    typer.Argument(metavar="ways|sizes|help|start|rebuild", help="What to measure (default: ways)."),
]
Quick = Annotated[bool, typer.Option("--quick", help="Use a small crate: takes minutes.")]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="first|restart|config|offline|upgrade",
        help="Run only this scenario: first, restart, config, offline or upgrade (repeatable).",
    ),
]
Way = Annotated[
    list[str] | None,
    typer.Option(
        "--way",
        metavar="upstream|volumes|baked",
        help="Measure only this way: upstream, volumes or baked (repeatable).",
    ),
]
Shared = Annotated[
    bool,
    typer.Option("--shared", help="Measure one start of upstream, and use it for the others, which do the same work."),
]


@app.command()
@options.build_options("project", "base", "accel")
def bench(
    asked: options.BuildOptions,
    *,
    what: What = None,
    quick: Quick = False,
    runs: Annotated[int, typer.Option("--runs", min=1, metavar="N", help="Number of measurements of each start.")] = 3,
    only: Only = None,
    way: Way = None,
    shared: Shared = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep the results of an earlier call and measure the rest.")
    ] = False,
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="FOLDER", help="Folder whose benchmarks.md and picture get the results."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Measure the time from `up` to a transcribed word: compile at start, five cache volumes, and a baked image.

    The scenarios are a first start with empty volumes, a restart, a start with another config, one without network,
    and an upgrade of the crate from the release before. Bytes of images, volumes and downloads are counted too.
    Results are kept in .baker/bench. When a measurement fails, those before it are printed, and nothing is written to
    the folder of --write. Without --quick, moshi-server is compiled again and again, for hours.

    The other measurements need the images of `make images`:
      sizes      sizes of the images
      help       time of `baker --help`
      start      time to start the image, beside the bare binary
      rebuild    time of a build without a change, and after one

    Examples:
      baker bench --quick                         # with a small crate
      baker bench --accel cpu --runs 1 --shared   # three compiles
      baker bench sizes help start rebuild --runs 9 --write docs
    """
    from baker.bench import suite
    from baker.bench.startup import progress

    wished = suite.wish(runs, way or (), only or (), shared=shared, resume=resume)
    console = context.notes()
    measuring = suite.Measuring()
    try:
        with progress.shown(console) as shown:
            measuring.run(asked.request(), what or (), wished, context.engine(), shown, quick=quick)
    except BaseException:
        # Ctrl-C too: what was measured took long, and is printed before the reason why there is no more.
        _print(measuring.found, as_json=as_json)
        raise
    if write:
        for path in suite.write(measuring.found, shlex.join(["baker", *sys.argv[1:]]), write):
            console.print(f"wrote {path}", highlight=False)
    _print(measuring.found, as_json=as_json)


def _print(found: Found, *, as_json: bool) -> None:
    if found.any:
        typer.echo(json.dumps(found.plain(), indent=2) if as_json else found.markdown())
