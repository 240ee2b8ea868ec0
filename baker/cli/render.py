"""`baker render`: the build context as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from baker.cli import context, options

app = typer.Typer()


@app.command()
@options.build_options(*options.IMAGE)
def render(
    asked: options.BuildOptions,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write to.")] = Path(
        "context"
    ),
    compiled_on: Annotated[
        str | None,
        typer.Option(
            "--compiled-on", metavar="OS/ARCH", help="Platform of the builder that compiles (default: this machine's)."
        ),
    ] = None,
    link: Annotated[bool, typer.Option(help="Use COPY --link, which needs Docker 23 or BuildKit 0.10.")] = True,
) -> None:
    """Write the Dockerfile, docker-bake.json and every file that they use. Needs no Docker.

    Examples:
      baker render stt tts --base debian --output out
      docker buildx build --target stt out
    """
    from baker.build import prepare
    from baker.config import platforms

    console = context.notes()
    on = platforms.find(compiled_on) if compiled_on else None
    request = asked.request()
    prepared = prepare.prepare(request, None, context.environment(), console.print, link=link, build_platform=on)
    prepare.write(prepared, output)
    console.print(f"wrote {output}/Dockerfile and {output}/docker-bake.json", highlight=False)
