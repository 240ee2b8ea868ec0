"""`baker bench`: what starts, images and commands cost, measured here and now."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from baker.cli import options

app = typer.Typer()

What = Annotated[
    list[str] | None,
    typer.Argument(metavar="[WHAT]...", help="ways (if nothing is named), or: sizes, help, start, rebuild."),
]
Quick = Annotated[bool, typer.Option("--quick", help="The three ways with a small crate, in minutes.")]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", help="Of the scenarios this one: first, restart, config, offline, upgrade. Again for more."),
]
Way = Annotated[list[str] | None, typer.Option("--way", help="Of the ways this one: upstream, volumes, baked.")]
Shared = Annotated[
    bool,
    typer.Option("--shared", help="Let upstream's first start stand for its others, which are the same work."),
]


@app.command()
def bench(
    what: What = None,
    project: options.Folder = None,
    base: options.Base = None,
    accel: options.Accel = None,
    quick: Quick = False,  # noqa: FBT002
    runs: Annotated[int, typer.Option("--runs", min=1, help="How often each start is measured.")] = 3,
    only: Only = None,
    way: Way = None,
    shared: Shared = False,  # noqa: FBT002
    resume: Annotated[bool, typer.Option("--resume", help="Keep what an earlier call measured, and go on.")] = False,  # noqa: FBT002
    write: Annotated[
        Path | None, typer.Option("--write", help="A folder whose benchmarks.md and picture get the result.")
    ] = None,
    as_json: options.Json = False,  # noqa: FBT002
) -> None:
    """Measure three ways from `up` to a transcribed word: compile at start, five cache volumes, a baked image.

    Each is measured on this machine, in turn: a first start with empty volumes, a restart, one with another config,
    one without network, and an upgrade of the crate from the release before; and the bytes of images and volumes, and
    what goes over the network. Results are kept in .baker/bench as they come. The real form compiles moshi-server
    again and again, for hours, and works in a checkout; what the benchmark started is removed at its end.

    The other measurements need the images of `make images`: sizes of the images; what help costs; start, of the
    image beside the bare binary; rebuild, unchanged and after a change.

    Examples:
        baker bench --quick                            with a small crate

        baker bench --accel cpu --runs 1 --shared      with moshi-server: three compiles

        baker bench sizes help start rebuild --runs 9 --write docs
    """
    from baker.bench import everything, progress  # noqa: PLC0415 - heavy, and --help has no use for it

    wished = everything.wish(runs, way or (), only or (), shared=shared, resume=resume)
    request = options.request(None, project, base=base, accel=accel)
    console = options.console(err=True)
    with progress.shown(console) as shown:
        found = everything.run(request, what or (), wished, shown, quick=quick)
    if write:
        for path in everything.write(found, shlex.join(["baker", *sys.argv[1:]]), write):
            console.print(f"wrote {path}", highlight=False)
    typer.echo(json.dumps(found.plain(), indent=2) if as_json else found.markdown())
