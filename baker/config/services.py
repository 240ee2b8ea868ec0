"""The services of a project: each is read, and they are checked to go together."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from baker.config.service import load
from baker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from baker.config.service import Service


def load_all(folders: Iterable[Path]) -> tuple[Service, ...]:
    """Read services, and check that they go together.

    Raises:
        UsageError: one is wrong, or their Python projects get into each other's way.
    """
    services = tuple(load(folder) for folder in folders)
    check_pairs(services)
    return services


def check_pairs(services: Iterable[Service]) -> None:
    """Check that services go together: that none's Python project is in the way of another's, or raise UsageError."""
    for one, other in itertools.combinations([service for service in services if service.python], 2):
        _check_pair(one, other)


def _check_pair(one: Service, other: Service) -> None:
    """Check that two services share a Python project wholly or not at all: the stages are called by its folder."""
    first, second = one.python, other.python
    if first is None or second is None or first.project.name != second.project.name:
        return
    names = f"{one.name} and {other.name}"
    if first.project != second.project:
        raise UsageError(
            f"the Python projects of the services {names} have the same folder name: {first.project} and "
            f"{second.project}; rename one"
        )
    shared = ["unused"]
    if first.libraries and second.libraries:
        shared += ["libraries", "libraries_group"]
    if first.venv and second.venv:
        shared += ["groups", "layers", "extensions"]
    for key in shared:
        if getattr(first, key) != getattr(second, key):
            name = key.replace("_", "-")
            raise UsageError(
                f"the services {names} share the Python project {first.project}, and with it the image layers: give "
                f"both the same [python] {name}, or each a project of its own"
            )
