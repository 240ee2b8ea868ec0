"""`baker smoke`: a test of an image's binary for a machine with a card."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from baker.cli import context, options

app = typer.Typer()


@app.command()
@options.build_options("project", "base", "accel", "compute_cap", "cuda", "tag")
def smoke(
    asked: options.BuildOptions,
    *,
    service: Annotated[str, typer.Argument(help="Service, or image on this machine, that is tested.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Archive to write, a .tar.zst.")],
    as_json: options.Json = False,
) -> None:
    """Pack a smoke test of an image for a machine with a card, which needs no engine and no network.

    The archive has the baked binary, its start script, a tiny model and a client. There, `python3 smoke/run.py
    --cuda-libraries PATH` asserts words that the card has understood, and measures the start. For text-to-speech
    the archive has the Python environment too, but for torch: `--torch PATH` names a folder that has it.

    Examples:
      baker smoke stt --output smoke.tar.zst
      tar --zstd -xf smoke.tar.zst && python3 smoke/run.py --cuda-libraries ~/.venv   # on that machine
      baker smoke tts --output smoke-tts.tar.zst
    """
    from baker.build import prepare
    from baker.cli import report
    from baker.dockerfile import bakefile
    from baker.smoke import bundle
    from baker.verify import verifier

    engine, found = context.engine(), context.project(asked.project)
    reference = service
    services, _ = found.sort([service], lambda name: bool(engine.ids((name,))))
    if services:
        request = replace(asked, services=(service,)).request()
        prepared = prepare.prepare(request, None, engine.environment, context.notes().print)
        reference = bakefile.names(prepared.plan, prepared.request.settings, service)[0]
    image = verifier.require_image(engine, reference, f"run `baker build {service}`")
    made = bundle.write(engine, reference, image, output)
    if as_json:
        typer.echo(json.dumps(asdict(made), indent=2))
    else:
        report.bundle(made, context.console())
