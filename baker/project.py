"""A project: the folder with baker.toml, baker.lock and services/. Outside of one, the package's own serves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from baker import pins, settings, spec, toml
from baker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from baker.pins import Pins
    from baker.settings import Settings
    from baker.spec import Service

MARKER = "baker.toml"


@dataclass(frozen=True, kw_only=True)
class Project:
    """Where things are. `state` is the folder for logs, receipts and build contexts; it may be deleted at any time."""

    root: Path
    state: Path
    builtin: bool

    @property
    def services_folder(self) -> Path:
        """The folder of the services; symbolic links are resolved."""
        return (self.root / "services").resolve()

    @property
    def lock(self) -> Path:
        """baker.lock."""
        return self.root / "baker.lock"

    def names(self) -> tuple[str, ...]:
        """Return the names of all services, sorted."""
        return tuple(sorted(path.parent.name for path in self.services_folder.glob("*/service.toml")))

    def services(self, wanted: Sequence[str]) -> tuple[Service, ...]:
        """Read the services with these names; none means all of them.

        Raises:
            UsageError: there is no such service, or its service.toml is wrong.
        """
        legal = self.names()
        if not legal:
            raise UsageError(f"{self.services_folder} has no service: a service is a folder with a service.toml in it")
        for name in wanted:
            if name not in legal:
                raise UsageError(f"there is no service {name!r} in {self.services_folder}; {_near(name, legal)}")
        return tuple(spec.load(self.services_folder / name) for name in sorted(set(wanted or legal)))

    def sort(self, names: Sequence[str], known: Callable[[str], bool]) -> tuple[list[str], list[str]]:
        """Sort names into those of services and those of images.

        What is no service is an image when it has a registry, a tag or a digest in it, or `known` says so.
        """
        legal = self.names()
        images = [name for name in names if name not in legal and (re.search("[/:@]", name) or known(name))]
        return [name for name in names if name not in images], images

    def settings(self) -> Settings:
        """Read baker.toml, or the defaults where there is none."""
        path = self.root / MARKER
        return settings.load(path if path.exists() else None)

    def pins(self) -> Pins:
        """Read baker.lock."""
        return pins.load(self.lock)


def find(start: Path) -> Project:
    """Return the project that a folder lies in, or the package's own, which leaves its state in `start`/.baker."""
    for folder in (start, *start.parents):
        if (folder / MARKER).exists():
            return Project(root=folder, state=folder / ".baker", builtin=False)
    return Project(root=Path(str(resources.files("baker"))), state=start / ".baker", builtin=True)


def _near(name: str, legal: tuple[str, ...]) -> str:
    return toml.closest(name, list(legal))
