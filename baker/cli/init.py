"""`baker init`: a project of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def init(folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="New or empty folder.")]) -> None:
    """Create a project to edit: services/, baker.toml, baker.lock, docker-compose.yml and a Makefile.

    Examples:
      baker init speech && cd speech && make images
    """
    from baker.config import scaffold

    for path in scaffold.lay_out(folder):
        typer.echo(f"wrote {path}")
