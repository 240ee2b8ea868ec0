"""What several commands take: options, the request that they make, the console they print to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from baker.prepare import Request
    from baker.project import Project

Names = Annotated[list[str] | None, typer.Argument(metavar="[SERVICES]...", help="Names of folders under services/.")]
Folder = Annotated[
    Path | None, typer.Option("--project", "-C", help="The project's folder; else the one that this folder lies in.")
]
Base = Annotated[
    str | None,
    typer.Option("--base", help="auto, nvidia or debian. auto takes nvidia when its registry answers, else debian."),
]
Accel = Annotated[str | None, typer.Option("--accel", help="cuda or cpu.")]
Capabilities = Annotated[
    list[str] | None,
    typer.Option("--compute-cap", help="Compute capability, as in 8.0; several give a binary each: 7.5,8.0."),
]
Variant = Annotated[
    str | None, typer.Option("--variant", help="slim, or builder: with the toolchain, to compile what is not baked.")
]
Builder = Annotated[str | None, typer.Option("--builder", help="The buildx builder; else the current one.")]
Builders = Annotated[
    list[str] | None,
    typer.Option("--builder", help="The buildx builder; else the current one. Several share the work."),
]
Platforms = Annotated[list[str] | None, typer.Option("--platform", help="What to build for: linux/amd64.")]
Tag = Annotated[str | None, typer.Option("--tag", help="The moving tag; else the one in baker.toml.")]
CacheFrom = Annotated[
    list[str] | None, typer.Option("--cache-from", help="A repository to take finished layers from: HOST/PATH.")
]
CacheTo = Annotated[str | None, typer.Option("--cache-to", help="A repository to leave finished layers in.")]
Reproducible = Annotated[
    bool, typer.Option("--reproducible", help="The same input gives the same bytes: everything gets the pins' time.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]


def find(folder: Path | None) -> Project:
    """Return the project in a folder or around it; None is the working directory."""
    from baker import project  # noqa: PLC0415

    start = (folder or Path.cwd()).resolve()
    return project.find(start)


def request(
    services: list[str] | None,
    folder: Path | None,
    *,
    base: str | None = None,
    accel: str | None = None,
    caps: list[str] | None = None,
    variant: str | None = None,
    builders: list[str] | None = None,
    platforms: list[str] | None = None,
    tag: str | None = None,
    cache_from: list[str] | None = None,
    cache_to: str | None = None,
    reproducible: bool = False,
) -> Request:
    """Return a request: the project's settings under what the command line says."""
    from baker import prepare  # noqa: PLC0415
    from baker import settings as legal  # noqa: PLC0415

    found = find(folder)
    settings = found.settings()
    chosen: dict[str, object] = {
        "base": base and legal.one_of(base, legal.BASES, "--base"),
        "accel": accel and legal.one_of(accel, legal.ACCELS, "--accel"),
        "capabilities": caps and legal.parse_capabilities(caps, "--compute-cap"),
        "variant": variant and legal.one_of(variant, legal.VARIANTS, "--variant"),
        "builders": builders and legal.parse_words(builders),
        "platforms": platforms and legal.parse_platforms(platforms, "--platform"),
        "tag": tag,
        "cache_from": cache_from and tuple(cache_from),
        "cache_to": cache_to,
        "reproducible": reproducible,
    }
    settings = replace(settings, **{key: value for key, value in chosen.items() if value})  # type: ignore[arg-type]
    return prepare.Request(project=found, settings=settings, services=found.services(tuple(services or ())))


def console(*, err: bool = False) -> Console:
    """Return a console on stdout or stderr, without wrapping."""
    from rich.console import Console  # noqa: PLC0415

    return Console(stderr=err, soft_wrap=True)
