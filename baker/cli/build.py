"""`baker build`: images of services."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from baker.cli import context, options

app = typer.Typer()


@app.command()
@options.build_options(*options.IMAGE, "builder", "tag", *options.CACHE)
def build(
    asked: options.BuildOptions,
    *,
    force: Annotated[bool, typer.Option("--force", help="Build even if nothing has changed.")] = False,
    no_disk_check: Annotated[
        bool, typer.Option("--no-disk-check", help="Build even if the disk seems too small for it.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Build the images of services, verify them, and tag them.

    If nothing has changed since the last build, the command exits without calling BuildKit or the network. Otherwise it
    says first what the build will take: time, downloads and disk.

    Examples:
      baker build stt tts
      baker build stt --compute-cap 7.5,8.0   # for Turing and for newer cards
      baker build --base debian --accel cpu   # without a registry or a card
      baker build --cache-from registry.example.com/speech/cache
    """
    from baker.build import pipeline
    from baker.cli import report

    receipts = pipeline.build_images(
        asked.request(), context.engine(), context.progress(err=as_json), force=force, anyway=no_disk_check
    )
    if as_json:
        typer.echo(json.dumps([asdict(receipt) for receipt in receipts], indent=2))
    else:
        report.receipts(receipts, context.console())
