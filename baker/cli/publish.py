"""Commands that move images in a registry: publish, promote, rollback."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from baker.cli import options

app = typer.Typer()
Target = Annotated[str, typer.Argument(metavar="IMAGE:TAG", help="As in registry.example.com/speech/stt:latest.")]


@app.command()
def publish(
    services: options.Names = None,
    project: options.Folder = None,
    registry: Annotated[
        str | None, typer.Option("--registry", help="HOST/PATH; else [images] registry and namespace of baker.toml.")
    ] = None,
    base: options.Base = None,
    accel: options.Accel = None,
    compute_cap: options.Capabilities = None,
    builder: options.Builders = None,
    platform: options.Platforms = None,
    cache_from: options.CacheFrom = None,
    cache_to: options.CacheTo = None,
    reproducible: options.Reproducible = False,  # noqa: FBT002
    release: Annotated[bool, typer.Option("--release", help="Move the moving tag, `latest`, too.")] = False,  # noqa: FBT002
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; build and push nothing.")] = False,  # noqa: FBT002
    as_json: options.Json = False,  # noqa: FBT002
) -> None:
    """Build what is not built yet, push it by digest, sign it, check it, and only then tag it.

    Tags are what is in the image (0.6.4-cuda12.4-sm80), the commit (git-…-cuda12.4-sm80), and with --release `latest`.
    A tag that is moved leaves its former image under a dated tag. Log in with `docker login HOST`. See docs/publish.md.

    Examples:
        baker publish stt tts --registry registry.example.com/speech --dry-run

        baker publish stt tts --registry registry.example.com/speech --release
    """
    from baker import publish as publishing  # noqa: PLC0415 - heavy, and --help has no use for it
    from baker import report  # noqa: PLC0415

    request = options.request(
        services,
        project,
        base=base,
        accel=accel,
        caps=compute_cap,
        builders=builder,
        platforms=platform,
        cache_from=cache_from,
        cache_to=cache_to,
        reproducible=reproducible,
    )
    destination = publishing.destination(registry, request.settings)
    console = options.console(err=as_json)
    if dry_run:
        intents = publishing.intend(publishing.settle(request, console), destination, release=release)
        if as_json:
            typer.echo(json.dumps([asdict(intent) for intent in intents], indent=2))
        else:
            report.intents(intents, console)
        return
    done = publishing.publish(request, destination, os.environ, console, release=release)
    if as_json:
        typer.echo(json.dumps([asdict(item) for item in done], indent=2))
    else:
        report.published(done, console)


@app.command()
def sbom(
    service: Annotated[str, typer.Argument(help="The name of a folder under services/.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file to write; else stdout.")] = None,
    project: options.Folder = None,
    base: options.Base = None,
    tag: options.Tag = None,
) -> None:
    """Write the bill of materials of an image that is here, as CycloneDX JSON. `publish` attaches the same, signed.

    Example:
        baker sbom stt --output stt.cdx.json && grype sbom:stt.cdx.json
    """
    from baker import publish as publishing  # noqa: PLC0415

    text = publishing.bill(options.request([service], project, base=base, tag=tag), options.console(err=True))
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text, encoding="utf-8")


@app.command()
def promote(
    source: Annotated[str, typer.Argument(metavar="IMAGE:TAG|IMAGE@DIGEST", help="What the tag is to point to.")],
    target: Target,
    project: options.Folder = None,
) -> None:
    """Let a tag point to a published image, after its signature has been checked. Nothing is built or copied.

    Example:
        baker promote registry.example.com/speech/stt:0.6.4-cuda12.8-sm80 registry.example.com/speech/stt:latest
    """
    from baker import promote as promoting  # noqa: PLC0415

    digest = promoting.promote(source, target, options.find(project).settings().publishing)
    options.console().print(f"{target} is {digest}", highlight=False)


@app.command()
def rollback(target: Target, project: options.Folder = None) -> None:
    """Let a tag point to what it pointed to before it was moved last; once more undoes that.

    Example:
        baker rollback registry.example.com/speech/stt:latest
    """
    from baker import promote as promoting  # noqa: PLC0415

    digest = promoting.rollback(target, options.find(project).settings().publishing)
    options.console().print(f"{target} is {digest} again", highlight=False)
