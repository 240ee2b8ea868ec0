"""The options that several commands share, as one value: BuildOptions, which a decorator adds to a command."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from baker.cli import context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from baker.build.request import Request

Names = Annotated[list[str] | None, typer.Argument(metavar="SERVICES", help="Services to use (default: all).")]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--project",
        "-C",
        metavar="FOLDER",
        help="Project folder (default: the one that contains the working directory).",
    ),
]
Builder = Annotated[
    str | None, typer.Option("--builder", metavar="NAME", help="buildx builder to use (default: the current one).")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON to stdout.")]
Registry = Annotated[
    str | None,
    typer.Option(
        "--registry",
        metavar="HOST/PATH",
        help="Registry and path, HOST/PATH (default: registry and namespace of baker.toml).",
    ),
]

# The parameter of each field of BuildOptions, as Typer takes it.
PARAMETERS: dict[str, tuple[Any, Any]] = {
    "services": (Names, None),
    "project": (Folder, None),
    "base": (
        Annotated[
            str | None,
            typer.Option(
                "--base",
                metavar="nvidia|debian|auto",
                help="Base to build on: nvidia, debian, or auto (nvidia if its registry has the pinned images).",
            ),
        ],
        None,
    ),
    "accel": (
        Annotated[
            str | None,
            typer.Option("--accel", metavar="cuda|cpu", help="What the images compute on: an NVIDIA card, or the CPU."),
        ],
        None,
    ),
    "compute_cap": (
        Annotated[
            list[str] | None,
            typer.Option(
                "--compute-cap",
                metavar="X.Y",
                help="Compute capability, such as 8.0; several give one binary each: 7.5,8.0.",
            ),
        ],
        None,
    ),
    "cuda": (
        Annotated[
            str | None,
            typer.Option(
                "--cuda",
                metavar="12.8|13.0",
                help="CUDA release: that of a base, or 13.0 from wheels (default: what the base has).",
            ),
        ],
        None,
    ),
    "variant": (
        Annotated[
            str | None,
            typer.Option(
                "--variant",
                metavar="slim|builder",
                help="slim, or builder: with the toolchain, to compile other versions at start.",
            ),
        ],
        None,
    ),
    "builder": (
        Annotated[
            list[str] | None,
            typer.Option(
                "--builder", metavar="NAME", help="buildx builder to use (repeatable: several builders share the work)."
            ),
        ],
        None,
    ),
    "platform": (
        Annotated[
            list[str] | None,
            typer.Option(
                "--platform",
                metavar="OS/ARCH",
                help="Platform to build for: linux/amd64 or linux/arm64 (default: what the builder itself runs on).",
            ),
        ],
        None,
    ),
    "tag": (
        Annotated[
            str | None, typer.Option("--tag", metavar="TAG", help="Moving tag (default: the one in baker.toml).")
        ],
        None,
    ),
    "cache_from": (
        Annotated[
            list[str] | None,
            typer.Option(
                "--cache-from",
                metavar="HOST/PATH",
                help="Repository to read the registry cache from, HOST/PATH (repeatable).",
            ),
        ],
        None,
    ),
    "cache_to": (
        Annotated[
            str | None,
            typer.Option(
                "--cache-to", metavar="HOST/PATH", help="Repository to write the registry cache to, HOST/PATH."
            ),
        ],
        None,
    ),
    "reproducible": (
        Annotated[
            bool,
            typer.Option("--reproducible", help="Build images that are the same byte for byte on every machine."),
        ],
        False,
    ),
}
IMAGE = ("services", "project", "base", "accel", "compute_cap", "cuda", "variant", "platform")
CACHE = ("cache_from", "cache_to", "reproducible")


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """What the command line says of a build; what it does not say is in baker.toml."""

    services: tuple[str, ...] = ()
    project: Path | None = None
    base: str | None = None
    accel: str | None = None
    compute_cap: tuple[str, ...] = ()
    cuda: str | None = None
    variant: str | None = None
    builder: tuple[str, ...] = ()
    platform: tuple[str, ...] = ()
    tag: str | None = None
    cache_from: tuple[str, ...] = ()
    cache_to: str | None = None
    reproducible: bool = False

    def request(self) -> Request:
        """Read the project, and return what is asked for: its settings under what the command line says."""
        from baker.build.request import Request
        from baker.config import cards, cuda
        from baker.config import settings as legal

        found = context.project(self.project)
        said: dict[str, object] = {
            "base": self.base and legal.one_of(self.base, legal.BASES, "--base"),
            "accel": self.accel and legal.one_of(self.accel, legal.ACCELS, "--accel"),
            "capabilities": self.compute_cap and legal.parse_capabilities(self.compute_cap, "--compute-cap"),
            "cuda": self.cuda and cards.parse_cuda(self.cuda, "--cuda"),
            "variant": self.variant and legal.one_of(self.variant, legal.VARIANTS, "--variant"),
            "builders": legal.parse_words(self.builder),
            "platforms": self.platform and legal.parse_platforms(self.platform, "--platform"),
            "tag": self.tag and legal.parse_tag(self.tag, "--tag"),
            "cache_from": tuple(legal.parse_repository(word, "--cache-from") for word in self.cache_from),
            "cache_to": self.cache_to and legal.parse_repository(self.cache_to, "--cache-to"),
            "reproducible": self.reproducible,
        }
        chosen: dict[str, Any] = {key: value for key, value in said.items() if value}
        pins = found.read_pins()
        settings = replace(found.read_settings(), **chosen)
        services, settings = cuda.settle(found.read_services(self.services), settings, pins)
        return Request(
            project=found,
            settings=settings,
            services=services,
            pins=pins,
            host=context.host(),
        )


def build_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add options of a build to a command, whose first parameter gets them as BuildOptions.

    Args:
        names: fields of BuildOptions, in the order in which --help shows them.
    """
    return grouped(BuildOptions, {name: PARAMETERS[name] for name in names})


def grouped(
    group: Callable[..., object], parameters: Mapping[str, tuple[Any, Any]], *, last: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add options to a command, whose first parameter gets them as one value.

    Args:
        group: makes that value of what the command line says; what it does not say is left to the group's defaults.
        parameters: (type as Typer takes it, default) of each option, in the order in which --help shows them.
        last: whether --help shows them after the command's own.
    """
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)
        for name, (kind, default) in parameters.items()
    ]

    def add(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [item.replace(kind=inspect.Parameter.KEYWORD_ONLY) for item in list(signature.parameters.values())[1:]]

        @wraps(command)
        def run(**arguments: Any) -> None:  # noqa: ANN401 - Typer gives them
            said = {name: arguments.pop(name) for name in parameters}
            values: dict[str, Any] = {key: tuple(it) if isinstance(it, list) else it for key, it in said.items()}
            command(group(**{key: it for key, it in values.items() if it is not None}), **arguments)

        shown = [*own, *added] if last else [*added, *own]
        # Typer reads the signature, and the annotations by themselves.
        run.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
        run.__annotations__ = {item.name: item.annotation for item in shown}
        del run.__wrapped__
        return run

    return add
