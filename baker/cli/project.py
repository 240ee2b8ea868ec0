"""Commands about a project and the machine that it is on."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from baker.cli import options

app = typer.Typer()


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")],
) -> None:
    """Lay out a project to edit: services/, baker.toml, baker.lock, docker-compose.yml and a Makefile.

    Example:
        baker init speech && cd speech && make images
    """
    from baker import init as laying  # noqa: PLC0415

    for path in laying.lay_out(folder):
        typer.echo(f"wrote {path}")


@app.command()
def lock(
    project: options.Folder = None,
    upgrade: Annotated[
        list[str] | None, typer.Option("--upgrade", help="Take the newest of a crate, of uv, or of a Python package.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail when something would change.")] = False,  # noqa: FBT002
) -> None:
    """Write baker.lock and each uv.lock: every outside version that a build takes. `build` only reads them.

    Examples:
        baker lock                           pin what a new service brought

        baker lock --upgrade moshi-server    take the crate's newest version
    """
    from baker import lock as locking  # noqa: PLC0415

    changes = locking.update(options.find(project), tuple(upgrade or ()), write=not check)
    for change in changes:
        typer.echo(change)
    if check and changes:
        raise typer.Exit(3)
    if not changes:
        typer.echo("nothing changed", err=True)


@app.command()
def doctor(
    project: options.Folder = None,
    as_json: options.Json = False,  # noqa: FBT002
) -> None:
    """Look at this machine: engine, buildx, compose, registry, disk, card. Says what to do about what is missing.

    Example:
        baker doctor
    """
    from baker import doctor as examine  # noqa: PLC0415
    from baker import report  # noqa: PLC0415

    findings = examine.examine(options.find(project), os.environ)
    if as_json:
        typer.echo(json.dumps([asdict(item) for item in findings], indent=2))
    else:
        report.findings(findings, options.console())
    if any(item.state == "missing" for item in findings):
        raise typer.Exit(4)
