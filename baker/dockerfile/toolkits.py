"""The CUDA toolkit of a plan: the base's own, or one from wheels; and what it compiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baker.config import cards
from baker.config.cuda import taken
from baker.dockerfile.bases import BASES
from baker.dockerfile.plan import ToolkitPlan
from baker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from baker.config.pins import Pins
    from baker.config.service import Service
    from baker.config.toolkit import Toolkit
    from baker.dockerfile.choice import Choice
    from baker.dockerfile.plan import CratePlan


def release(services: Sequence[Service], pins: Pins, choice: Choice, crates: Mapping[str, CratePlan]) -> str:
    """Return the CUDA release that services are compiled with; empty for the CPU.

    Args:
        services: the services.
        pins: baker.lock.
        choice: what the user chose.
        crates: the services' crates by their names.

    Raises:
        UsageError: a crate does not build with it, or it does not know a capability.
    """
    if choice.accel != "cuda":
        return ""
    own = {name: base.cuda(pins) for name, base in BASES.items()}
    wanted = {service.cuda for service in services if service.cuda}
    if not wanted:
        wheels = {
            release: _least(service, toolkit) for service in services for release, toolkit in service.toolkits.items()
        }
        cards.check(choice.capabilities, choice.base, own, wheels)
        return cards.toolkit(own[choice.base])
    (found,) = wanted
    for service in services:
        toolkit = taken(service)
        if toolkit is None:
            continue
        crate = crates[service.crate.name]
        cards.toolkit(found, crate.own.cudarc if crate.own else "")
        cards.check_wheels(choice.capabilities, found, _least(service, toolkit))
    return found


def _least(service: Service, toolkit: Toolkit) -> int:
    return cards.capability(toolkit.least, f"{service.folder / 'service.toml'} [toolkits] least")


def plan(services: Sequence[Service], base: str, inside: Callable[[Path], str]) -> ToolkitPlan | None:
    """Return the toolkit from wheels that services are compiled with; None where it is the base's own.

    Args:
        services: the services.
        base: the base that compiles.
        inside: the place of a folder in the build context.

    Raises:
        UsageError: the base takes none, or two services name different ones.
    """
    found: dict[ToolkitPlan, Service] = {}
    for service in services:
        toolkit = taken(service)
        if toolkit is None or service.python is None:
            continue
        if not BASES[base].wheels:
            raise UsageError(
                f"CUDA {service.cuda} comes from wheels, which the base {base} does not take: leave out --base"
            )
        groups = f"--only-group {service.python.libraries_group} --only-group {toolkit.group}"
        made = ToolkitPlan(context=inside(toolkit.project), groups=groups, home=toolkit.home)
        found[made] = service
    if len(found) > 1:
        raise UsageError(
            f"the services {' and '.join(service.name for service in found.values())} have different toolkits of one "
            "CUDA release: give them the same project, group and home, or build them one by one"
        )
    return next(iter(found), None)
