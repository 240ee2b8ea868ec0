"""The uv projects of services: what of each becomes a layer. Services that share a project share its layers."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from baker.dockerfile.plan import ProjectPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from baker.config.service import Service
    from baker.dockerfile.plan import ExtensionPlan


def plan(
    services: Sequence[Service],
    on_gpu: Callable[[Service], bool],
    inside: Callable[[Path], str],
    extensions: Mapping[str, tuple[ExtensionPlan, ...]],
) -> tuple[ProjectPlan, ...]:
    """Plan the uv projects of some services, sorted by name.

    Args:
        services: the services.
        on_gpu: whether a service's binary has GPU code, and links libraries of the project.
        inside: the place of a folder in the build context.
        extensions: what of each service's environment has to be compiled, by its name.
    """
    found: dict[str, ProjectPlan] = {}
    for service in services:
        python = service.python
        if python is None:
            continue
        old = found.get(python.project.name)
        libraries = python.libraries if on_gpu(service) else ()
        found[python.project.name] = ProjectPlan(
            name=python.project.name,
            context=inside(python.project),
            venv=python.venv or bool(old and old.venv),
            groups=python.groups if python.venv or old is None else old.groups,
            libraries=libraries or (old.libraries if old else ()),
            libraries_group=python.libraries_group,
            unused=python.unused,
            layers=python.layers or (old.layers if old else ()),
            extensions=extensions[service.name] or (old.extensions if old else ()),
        )
    return tuple(found[name] for name in sorted(found))


def folders(libraries: Sequence[str]) -> tuple[str, ...]:
    """Return the folders of site-packages of some libraries, each once: an entry is a folder, or a pattern in one."""
    return tuple(dict.fromkeys(str(PurePosixPath(item).parent) if "*" in item else item for item in libraries))
