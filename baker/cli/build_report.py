"""`baker report`: what the last build was."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from baker.cli import context, options
from baker.errors import UsageError

app = typer.Typer()


@app.command()
def report(
    *,
    project: options.Folder = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write: .html, .svg or .txt (default: .baker/report.html)."),
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="Print the report as text to stdout.")] = False,
    back: Annotated[int, typer.Option("--back", min=1, help="Which build: 1 is the last one, 2 the one before.")] = 1,
) -> None:
    """Write a page about the last build: stages on a time line, critical path, layers, sizes, downloads, checks.

    The page is one file without scripts; it opens from a disk and can be printed. A build that changes nothing leaves
    no record.

    Examples:
      baker report                          # writes .baker/report.html
      baker report --text
      baker report --output timeline.svg    # the time line alone, for a README
    """
    from baker.report import contents, drawing, page
    from baker.report import text as texts
    from baker.system import files

    state = context.project(project).state
    found = contents.read(state, back)
    if text:
        typer.echo(texts.draw(found), nl=False)
        return
    path = output or state / "report.html"
    kinds = {".html": page.draw, ".svg": drawing.draw, ".txt": texts.draw}
    if path.suffix not in kinds:
        raise UsageError(f"{path}: a report is a file that ends with {', '.join(kinds)}")
    files.write_atomically(path, kinds[path.suffix](found))
    context.console().print(f"wrote {path}", highlight=False, markup=False)
