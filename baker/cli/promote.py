"""`baker promote` and `baker rollback`: the tags of published images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from baker.cli import context, options

if TYPE_CHECKING:
    from pathlib import Path

    from baker.publish.signing import Signer
    from baker.registry.client import Registries

app = typer.Typer()
Target = Annotated[str, typer.Argument(metavar="IMAGE:TAG", help="Tag to move.")]


@app.command()
def promote(
    source: Annotated[str, typer.Argument(metavar="IMAGE:TAG|IMAGE@DIGEST", help="Image that the tag will name.")],
    target: Target,
    project: options.Folder = None,
) -> None:
    r"""Move a tag to a published image, after its signature has been checked. Nothing is built or copied.

    Examples:
      baker promote registry.example.com/stt:0.6.4-cuda12.8-sm80 \
        registry.example.com/stt:latest
    """
    from baker.publish import tags

    signer, registries = _tools(project)
    digest = tags.promote(source, target, signer, registries, context.now())
    context.console().print(f"{target} is {digest}", highlight=False)


@app.command()
def rollback(target: Target, project: options.Folder = None) -> None:
    """Move a tag back to the image that it named before its last move; once more undoes that.

    Examples:
      baker rollback registry.example.com/speech/stt:latest
    """
    from baker.publish import tags

    signer, registries = _tools(project)
    digest = tags.rollback(target, signer, registries, context.now())
    context.console().print(f"{target} is {digest} again", highlight=False)


def _tools(project: Path | None) -> tuple[Signer, Registries]:
    from baker.publish.signing import Signer
    from baker.registry.client import Registries

    environment = context.environment()
    settings = context.project(project).read_settings().publishing
    registries = Registries.of(environment, context.notes().print)
    return Signer(settings=settings, environment=environment, registries=registries), registries
