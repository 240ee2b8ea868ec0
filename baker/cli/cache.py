"""`baker cache`: what baker's builds left in the builder's cache."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from baker.cli import options

app = typer.Typer(no_args_is_help=True, help="Show and prune what baker's builds left in the builder's cache.")


@app.command("show")
def cache_show(
    project: options.Folder = None,
    builder: options.Builder = None,
    as_json: options.Json = False,  # noqa: FBT002
) -> None:
    """List baker's cache mounts and layers, largest first. What is not baker's is not listed.

    Example:
        baker cache show
    """
    from baker import buildcache, ledger, report  # noqa: PLC0415

    found = buildcache.records(builder or "", ledger.read(options.find(project).state))
    if as_json:
        typer.echo(json.dumps([asdict(item) for item in found], indent=2))
    else:
        report.records(found, options.console())


@app.command("prune")
def cache_prune(
    project: options.Folder = None,
    builder: options.Builder = None,
    older: Annotated[
        str, typer.Option("--older-than", help="Only what was last used so long ago: 12h, 7d, 2w.")
    ] = "0h",
    keep: Annotated[str, typer.Option("--keep", help="Stop when this much is left: 20GB. The oldest go first.")] = "0B",
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; without this, only say what would go.")] = False,  # noqa: FBT002
) -> None:
    """Say what would be removed of baker's part of the cache; with --yes, remove it. Images stay, and so does the rest.

    Examples:
        baker cache prune --older-than 7d         what would go

        baker cache prune --keep 20GB --yes       the oldest, until 20 GB are left
    """
    from baker import buildcache, ledger, report  # noqa: PLC0415

    hours, size = buildcache.hours(older), buildcache.size(keep)
    found = buildcache.records(builder or "", ledger.read(options.find(project).state))
    chosen = buildcache.doomed(found, older=hours, keep=size)
    gone = buildcache.remove(builder or "", chosen) if yes else chosen
    report.records(gone, options.console())
    if not yes and gone:
        typer.echo("nothing was removed; --yes removes it", err=True)
