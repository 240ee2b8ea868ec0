"""`baker plan`: what a build would do."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer

from baker.cli import context, options

app = typer.Typer()


@app.command()
@options.build_options(*options.IMAGE, "builder")
def plan(asked: options.BuildOptions, *, as_json: options.Json = False) -> None:
    """Show what `build` would do with each stage, why, and what it takes: time, downloads, disk. Builds nothing.

    A stage is one of:
      cached      nothing to do
      build       something that it is made from has changed
      follows     built only if the stages that it copies from come out different
      settings    only labels, environment or command of the image change

    Examples:
      baker plan stt tts
    """
    from baker.build import planning
    from baker.cli import report

    engine = context.engine()
    found = planning.plan_images(asked.request(), engine, context.notes().print)
    if as_json:
        typer.echo(json.dumps([asdict(outlook) for outlook in found.outlooks], indent=2))
    else:
        report.plan(found, planning.told(found, planning.free(engine.describe())), context.console())
