"""Python packages in Rust that have no wheel for a platform: each is compiled in a stage of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baker.config import wheels
from baker.dockerfile.bases import BASES
from baker.dockerfile.plan import CROSS, ExtensionPlan

if TYPE_CHECKING:
    from baker.config.service import Python, Service
    from baker.dockerfile.choice import Choice


def compiles(package: wheels.Missing, python: Python, base: str) -> bool:
    """Whether a base compiles a package that has no wheel: the service names it, and the lock has its sdist."""
    return bool(BASES[base].maturin and package.sha256) and package.name in python.extensions


def plan(service: Service, version: str, choice: Choice) -> tuple[ExtensionPlan, ...]:
    """Return what of a service's environment has to be compiled.

    Args:
        service: the service.
        version: its interpreter's X.Y.
        choice: what the user chose.

    Raises:
        UsageError: the lock cannot be read.
    """
    python = service.python
    if python is None or not (python.venv and python.extensions):
        return ()
    lacks = wheels.missing(python.project, python.groups, version, choice.platform, whole=True)
    cross = CROSS if choice.platform != choice.build_platform else ""
    return tuple(
        ExtensionPlan(
            name=each.name,
            version=each.version,
            url=each.url,
            sha256=each.sha256,
            toolchain=f"toolchain{cross}",
            packages=BASES[choice.base].maturin,
        )
        for each in lacks
        if compiles(each, python, choice.base)
    )
