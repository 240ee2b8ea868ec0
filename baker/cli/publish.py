"""`baker publish`: images to a registry, signed."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from baker.cli import context, options

app = typer.Typer()
PUBLISHED = ("services", "project", "base", "accel", "compute_cap", "cuda", "platform", "builder")


@app.command()
@options.build_options(*PUBLISHED, *options.CACHE)
def publish(
    asked: options.BuildOptions,
    *,
    registry: options.Registry = None,
    release: Annotated[bool, typer.Option("--release", help="Also move the moving tag, `latest`.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen; build and push nothing.")] = False,
    as_json: options.Json = False,
) -> None:
    """Build images that are not built yet, push them by digest, sign and check them, and then tag them.

    Tags are the version (0.6.4-cuda12.4-sm80), the commit (git-…-cuda12.4-sm80) and, with --release, `latest`. When a
    tag moves, its former image keeps a dated tag. Log in with `docker login HOST` first.

    Examples:
      baker publish stt tts --registry registry.example.com/speech --dry-run
      baker publish stt tts --registry registry.example.com/speech --release
    """
    from baker.build import machine, pipeline, prepare
    from baker.cli import report
    from baker.publish import intents, workflow
    from baker.registry.client import Registries

    console, request = context.progress(err=as_json), asked.request()
    destination = intents.destination(registry, request.settings)
    registries = Registries.of(context.environment(), context.notes().print)
    if dry_run:
        prepared = prepare.prepare(request.each()[0], None, context.environment(), console.print)
        wanted = intents.intend(prepared, destination, registries, release=release)
        if as_json:
            typer.echo(json.dumps([asdict(intent) for intent in wanted], indent=2))
        else:
            report.intents(wanted, context.console())
        return
    engine = context.engine()
    here = machine.probe(engine, request.settings.builders)
    workflow.require(here, engine.environment, request.settings, registries)
    platforms = [prepare.prepare(each, here, engine.environment, console.print) for each in request.each()]
    wanted = intents.intend(platforms[0], destination, registries, release=release)
    intents.permit(wanted, registries)
    parts = [
        workflow.Part(prepared=each, receipts=pipeline.build_missing(each, here, engine, console)) for each in platforms
    ]
    done = workflow.publish(parts, wanted, here, engine, registries=registries, console=console, now=context.now())
    if as_json:
        typer.echo(json.dumps([asdict(item) for item in done], indent=2))
    else:
        report.published(done, context.console())
