"""`baker verify`: checks of images."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Annotated

import typer

from baker.cli import context, options

app = typer.Typer()
Verified = Annotated[
    list[str] | None,
    typer.Argument(metavar="SERVICE|IMAGE", help="Services (default: all), or images by tag or digest."),
]


@app.command()
@options.build_options("project", "base", "accel", "compute_cap", "cuda", "variant", "platform", "tag")
def verify(asked: options.BuildOptions, *, names: Verified = None, as_json: options.Json = False) -> None:
    """Check images: libraries, secrets, user, size, and whether they serve. `build` runs the same checks.

    The image of a service is the one that `build` tagged; it must be what the project says. Any other image must be
    what its own labels say; if it is not on this machine, it is pulled and removed afterwards.

    Examples:
      baker verify stt tts
      baker verify registry.example.com/speech/stt:0.6.4-cuda12.8-sm80 --json
    """
    from baker.build import prepare, verifying
    from baker.cli import report

    found, engine, notes = context.project(asked.project), context.engine(), context.notes()
    services, images = found.sort(names or (), lambda name: bool(engine.ids((name,))))
    results = {}
    if services or not images:
        request = replace(asked, services=tuple(services)).request().at(engine.describe().machine)
        prepared = prepare.prepare(request, None, engine.environment, notes.print)
        results = verifying.verify_images(prepared, engine, notes.print)
    results |= verifying.verify_references(images, engine, notes.print)
    if as_json:
        typer.echo(json.dumps({name: [asdict(item) for item in checks] for name, checks in results.items()}, indent=2))
    else:
        report.checks(results, context.console())
    verifying.require_all(results)
