"""The CUDA release that was asked for: which base has it, and what services are with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec import structs

from baker.config.cards import OWN
from baker.config.services import check_pairs
from baker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from baker.config.pins import Pins
    from baker.config.service import Service
    from baker.config.settings import Settings
    from baker.config.toolkit import Toolkit

# The base that compiles with a toolkit from wheels.
WHEELS = "debian"


def settle(services: Sequence[Service], settings: Settings, pins: Pins) -> tuple[tuple[Service, ...], Settings]:
    """Return services as they are with the CUDA release of some settings, and the settings with a base that has it.

    Raises:
        UsageError: the base does not have it, or a service has no toolkit of it.
    """
    release = settings.cuda
    if release == OWN or settings.accel != "cuda":
        return tuple(services), settings
    own = {"nvidia": pins.nvidia.cuda, "debian": pins.debian.cuda}
    having = tuple(base for base, its in own.items() if its == release)
    found = tuple(services)
    if not having:
        found = tuple(_with_toolkit(item, release, own) for item in services)
        check_pairs(found)
        having = (WHEELS,)
    if settings.base not in ("auto", *having):
        way = f"leave out --base {settings.base}, or take --base {having[0]}"
        if settings.base in own:
            way += f"; --base {settings.base} has CUDA {own[settings.base]}"
        raise UsageError(f"CUDA {release} is for the base {having[0]} only: {way}")
    return found, replace(settings, base=having[0] if len(having) == 1 else settings.base)


def _with_toolkit(service: Service, release: str, own: Mapping[str, str]) -> Service:
    """Return a service as it is with a toolkit from wheels; one without GPU code is what it was."""
    crate, python = service.crate, service.python
    if not (crate.features["cuda"] or crate.links["cuda"]):
        return service
    toolkit = service.toolkits.get(release)
    if toolkit is None or python is None:
        bases = [f"{its} (base {base})" for base, its in own.items()]
        wheels = [f"{each} (from wheels)" for each in service.toolkits] if python else []
        raise UsageError(
            f'CUDA {release}: no base has it, and {service.folder / "service.toml"} has no [toolkits."{release}"]; '
            f"there are {', '.join([*bases, *wheels])}"
        )
    return replace(
        service,
        crate=structs.replace(crate, lock=toolkit.lock or crate.lock, rust=toolkit.rust or crate.rust),
        python=structs.replace(
            python,
            project=toolkit.project,
            extensions=toolkit.extensions,
            libraries=toolkit.libraries,
            unused=toolkit.unused,
            layers=toolkit.layers,
        ),
        allowed=structs.replace(service.allowed, unresolved=toolkit.unresolved, duplicates=toolkit.duplicates),
        cuda=release,
    )


def taken(service: Service) -> Toolkit | None:
    """Return the toolkit from wheels that a service is compiled with; None is the base's own."""
    return service.toolkits[service.cuda] if service.cuda else None
