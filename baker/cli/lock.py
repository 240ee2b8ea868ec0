"""`baker lock`: the pins."""

from __future__ import annotations

from typing import Annotated

import typer

from baker.cli import context, options
from baker.errors import LockError, NetworkError

app = typer.Typer()


@app.command()
def lock(
    project: options.Folder = None,
    upgrade: Annotated[
        list[str] | None,
        typer.Option(
            "--upgrade",
            metavar="NAME",
            help="Crate or Python package to move to its newest version; or uv, python, rust, nvidia, debian.",
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 3 if something would change.")
    ] = False,
) -> None:
    """Write baker.lock and each uv.lock: every outside version that a build uses. `build` only reads them.

    Existing pins stay unless --upgrade names them. They also stay when a source cannot be reached; a note says so.

    Examples:
      baker lock                          # pin what a new service needs
      baker lock --upgrade moshi-server   # the newest version of the crate
      baker lock --upgrade debian         # today's packages of Debian
      baker lock --check                  # for CI
    """
    from baker.lock import update
    from baker.lock.sources import Sources
    from baker.registry.client import Registries
    from baker.system.http import Http

    found, say = context.project(project), context.notes().print
    with Http(say=say) as web:
        registries = Registries.of(context.environment(), say)
        sources = Sources(mirrors=found.read_settings().mirrors, web=web, registries=registries)
        changes = update.update(found, tuple(upgrade or ()), sources, write=not check)
    for note in changes.notes:
        context.notes().print(f"note: {note}", highlight=False, markup=False)
    for line in changes.lines:
        typer.echo(line)
    if check and changes.lines:
        raise typer.Exit(LockError.exit_code)
    if not changes.lines:
        context.notes().print("nothing changed")
    if changes.missed:
        raise NetworkError(f"not upgraded, since its source did not answer: {', '.join(changes.missed)}")
