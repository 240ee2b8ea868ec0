"""`baker cache`: what baker's builds left in the builder's cache."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from baker.cli import context, options

HELP = """\
List and prune baker's part of the local build cache.

Examples:
  baker cache show
  baker cache prune --older-than 7d
"""
app = typer.Typer(no_args_is_help=True, help=HELP)


@app.command("show")
def cache_show(
    project: options.Folder = None,
    builder: options.Builder = None,
    as_json: options.Json = False,
) -> None:
    """List baker's cache mounts and layers in the local build cache, largest first. Nothing else is listed.

    Examples:
      baker cache show
    """
    from baker.buildkit import cache_local, history
    from baker.cli import report

    found = cache_local.records(context.engine(), builder or "", history.read(context.project(project).state))
    if as_json:
        typer.echo(json.dumps([asdict(item) for item in found], indent=2))
    else:
        report.records(found, context.console())


@app.command("prune")
def cache_prune(
    project: options.Folder = None,
    builder: options.Builder = None,
    older: Annotated[
        str,
        typer.Option("--older-than", metavar="AGE", help="Only records that were not used for this long: 12h, 7d, 2w."),
    ] = "0h",
    keep: Annotated[
        str, typer.Option("--keep", metavar="SIZE", help="Keep this much, such as 20GB; the oldest records go first.")
    ] = "0B",
    yes: Annotated[
        bool, typer.Option("--yes", help="Remove the records; without this option they are only listed.")
    ] = False,
) -> None:
    """List what would be removed from baker's part of the local build cache; with --yes, remove it.

    Images stay, and so does everything that is not baker's.

    Examples:
      baker cache prune --older-than 7d     # list what was not used for a week
      baker cache prune --keep 20GB --yes   # remove the oldest, keep 20 GB
    """
    from baker.buildkit import cache_local, history
    from baker.cli import report
    from baker.system import units

    hours, size = units.age(older, "--older-than"), units.size(keep, "--keep")
    engine = context.engine()
    found = cache_local.records(engine, builder or "", history.read(context.project(project).state))
    chosen = cache_local.doomed(found, older=hours, keep=size)
    gone = cache_local.remove(engine, builder or "", chosen) if yes else chosen
    report.records(gone, context.console())
    if not yes and gone:
        context.notes().print("nothing was removed: pass --yes to remove these records")
