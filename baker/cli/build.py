"""Commands that make and check images."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from baker.cli import options

app = typer.Typer()


@app.command()
def build(
    services: options.Names = None,
    project: options.Folder = None,
    base: options.Base = None,
    accel: options.Accel = None,
    compute_cap: options.Capabilities = None,
    variant: options.Variant = None,
    builder: options.Builders = None,
    platform: options.Platforms = None,
    tag: options.Tag = None,
    cache_from: options.CacheFrom = None,
    cache_to: options.CacheTo = None,
    reproducible: options.Reproducible = False,  # noqa: FBT002
    force: Annotated[bool, typer.Option("--force", help="Build although nothing has changed.")] = False,  # noqa: FBT002
    as_json: options.Json = False,  # noqa: FBT002
) -> None:
    """Build, verify and tag the images of services; without names, of all. What is here and unchanged stays.

    Examples:
        baker build stt tts

        baker build stt --compute-cap 7.5,8.0     one binary each, for Turing and for everything newer

        baker build --base debian --accel cpu     no registry, no card

        baker build --cache-from registry.example.com/speech/cache    what another machine compiled
    """
    from baker import pipeline, report  # noqa: PLC0415 - heavy, and --help has no use for it

    console = options.console(err=as_json)
    request = options.request(
        services,
        project,
        base=base,
        accel=accel,
        caps=compute_cap,
        variant=variant,
        builders=builder,
        platforms=platform,
        tag=tag,
        cache_from=cache_from,
        cache_to=cache_to,
        reproducible=reproducible,
    )
    receipts = pipeline.build_images(request, os.environ, console, force=force)
    if as_json:
        typer.echo(json.dumps([asdict(receipt) for receipt in receipts], indent=2))
    else:
        report.receipts(receipts, console)


@app.command()
def plan(
    services: options.Names = None,
    project: options.Folder = None,
    base: options.Base = None,
    accel: options.Accel = None,
    compute_cap: options.Capabilities = None,
    variant: options.Variant = None,
    builder: options.Builders = None,
    platform: options.Platforms = None,
    as_json: options.Json = False,  # noqa: FBT002
) -> None:
    """Say what `build` would do with each stage, why, and how long that took last time. Builds nothing.

    A stage is "cached", to "build", or it "follows": it is built only if what it takes from others comes out different.
    "settings" are an image's labels, environment and command, which make no layer.

    Example:
        baker plan stt tts
    """
    from baker import pipeline, report  # noqa: PLC0415

    request = options.request(
        services,
        project,
        base=base,
        accel=accel,
        caps=compute_cap,
        variant=variant,
        builders=builder,
        platforms=platform,
    )
    outlooks = pipeline.plan_images(request, options.console(err=True))
    if as_json:
        typer.echo(json.dumps([asdict(outlook) for outlook in outlooks], indent=2))
    else:
        report.outlooks(outlooks, options.console())


@app.command()
def render(
    services: options.Names = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")] = Path("context"),
    project: options.Folder = None,
    base: options.Base = None,
    accel: options.Accel = None,
    compute_cap: options.Capabilities = None,
    variant: options.Variant = None,
    platform: options.Platforms = None,
    link: Annotated[bool, typer.Option(help="Use COPY --link, which needs Docker 23 or BuildKit 0.10.")] = True,  # noqa: FBT002
) -> None:
    """Write the Dockerfile, docker-bake.json and all that they copy, without Docker.

    Examples:
        baker render stt tts --base debian --output out

        docker buildx build --target stt out
    """
    from baker import prepare  # noqa: PLC0415

    console = options.console(err=True)
    request = options.request(
        services, project, base=base, accel=accel, caps=compute_cap, variant=variant, platforms=platform
    )
    chosen = prepare.choose(request, console, link=link, make_root=False)
    prepare.write(request, prepare.prepare(request, chosen), output)
    console.print(f"wrote {output}/Dockerfile and {output}/docker-bake.json", highlight=False)


@app.command()
def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SERVICE|IMAGE]...",
            help="Folders under services/, else all of them; or images, here or in a registry, by tag or digest.",
        ),
    ] = None,
    project: options.Folder = None,
    base: options.Base = None,
    accel: options.Accel = None,
    compute_cap: options.Capabilities = None,
    variant: options.Variant = None,
    tag: options.Tag = None,
    as_json: options.Json = False,  # noqa: FBT002
) -> None:
    """Check images: libraries, secrets, user, size, and that they serve. `build` does the same before it tags.

    A service's image is the one that `build` has tagged, and has to be what the project says. Any other image has to be
    what its own labels say; one that is not here is pulled, and removed afterwards. See docs/verify.md.

    Examples:
        baker verify stt tts

        baker verify registry.example.com/speech/stt:0.6.4-cuda12.8-sm80 --json
    """
    from baker import engine, pipeline, report  # noqa: PLC0415

    found = options.find(project)
    services, images = found.sort(names or (), lambda name: bool(engine.ids((name,))))
    console, results = options.console(err=True), {}
    if services or not images:
        asked = options.request(services, project, base=base, accel=accel, caps=compute_cap, variant=variant, tag=tag)
        results = pipeline.verify_images(asked, console)
    results |= pipeline.verify_references(images, None if found.builtin else found.state, console)
    if as_json:
        typer.echo(json.dumps({name: [asdict(item) for item in checks] for name, checks in results.items()}, indent=2))
    else:
        report.checks(results, options.console())
    pipeline.require_all(results)
