"""`baker sbom`: the bill of materials of an image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from baker.cli import context, options

app = typer.Typer()


@app.command()
@options.build_options("project", "base", "accel", "compute_cap", "cuda", "tag")
def sbom(
    asked: options.BuildOptions,
    *,
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="Service whose image is listed.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="File to write (default: stdout).")
    ] = None,
) -> None:
    """Write the bill of materials of an image on this machine, as CycloneDX JSON. `publish` attaches the same, signed.

    Examples:
      baker sbom stt --output stt.cdx.json && grype sbom:stt.cdx.json
    """
    from baker.build import prepare
    from baker.publish import workflow

    engine = context.engine()
    request = replace(asked, services=(service,)).request().at(engine.describe().machine)
    text = workflow.bill(prepare.prepare(request, None, engine.environment, context.notes().print), engine)
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text, encoding="utf-8")
