"""`baker inspect`: what an image is, and what differs between two."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict
from typing import Annotated

import typer

from baker.cli import context, options
from baker.errors import UsageError

app = typer.Typer()
TWO = 2


@app.command("inspect")
def inspect_image(
    names: Annotated[list[str], typer.Argument(metavar="SERVICE|IMAGE", help="Services, or images by tag.")],
    diff: Annotated[bool, typer.Option("--diff", help="Show what differs between two images.")] = False,
    project: options.Folder = None,
    as_json: options.Json = False,
) -> None:
    """Show an image: versions, cards and driver, mounts, ports, how to run it, and its layers, largest first.

    Each layer is shown with its bytes, the instruction that made it, the other images here that have it too, and
    whether it has changed since the build before. An image that is not here is pulled, and removed afterwards.

    Examples:
      baker inspect stt
      baker inspect registry.example.com/speech/stt:latest
      baker inspect --diff stt registry.example.com/speech/stt:latest   # packages, files, bytes
    """
    from baker.cli import report
    from baker.dockerfile import bakefile
    from baker.inspection import difference, image
    from baker.verify import verifier

    if diff and len(names) != TWO:
        raise UsageError("--diff compares two images: pass two names")
    found, engine, console = context.project(project), context.engine(), context.console()
    settings, legal = found.read_settings(), found.names()
    references = [f"{bakefile.image_name(settings, name)}:{settings.tag}" if name in legal else name for name in names]
    with ExitStack() as stack:
        for name, reference in zip(names, references, strict=True):
            if name not in legal:
                stack.enter_context(verifier.present(engine, reference))
        if diff:
            first, second = references
            compared = difference.compare(engine, first, second, context.notes().print)
            typer.echo(json.dumps(asdict(compared), indent=2)) if as_json else report.difference(compared, console)
            return
        views = [image.look(engine, reference, found) for reference in references]
    if as_json:
        typer.echo(json.dumps([asdict(view) for view in views], indent=2))
        return
    for view in views:
        report.image(view, console)
