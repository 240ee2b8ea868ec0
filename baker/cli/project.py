"""Commands about a project and the machine that it is on."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from baker.cli import options
from baker.errors import LockError

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
        list[str] | None,
        typer.Option(
            "--upgrade", help="Take the newest of a crate, a Python package, or of: uv, python, rust, nvidia, debian."
        ),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail when something would change.")] = False,  # noqa: FBT002
) -> None:
    """Write baker.lock and each uv.lock: every outside version that a build takes. `build` only reads them.

    Pins that are there stay, unless --upgrade names them; where a source cannot be reached, too, and a note says so.

    Examples:
        baker lock                           pin what a new service brought

        baker lock --upgrade moshi-server    take the crate's newest version

        baker lock --upgrade debian          packages as they are in Debian's archive now

        baker lock --check                   for CI: end with 3 when something would change
    """
    from baker import lock as locking  # noqa: PLC0415

    found = locking.update(options.find(project), tuple(upgrade or ()), write=not check)
    for note in found.notes:
        typer.echo(f"note: {note}", err=True)
    for line in found.lines:
        typer.echo(line)
    if check and found.lines:
        raise typer.Exit(LockError.exit_code)
    if not found.lines:
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
