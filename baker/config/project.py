"""A project: the folder with baker.toml, baker.lock and services/. Outside of one, the package's own serves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from baker.config import owner, pins, services, settings
from baker.errors import UsageError
from baker.system.suggestion import closest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from baker.config.owner import Trust
    from baker.config.pins import Pins
    from baker.config.service import Service
    from baker.config.settings import Settings

MARKER = "baker.toml"
# The package's own project, which `baker init` lays out.
BUILTIN = Path(str(resources.files("baker.config") / "builtin"))


@dataclass(frozen=True, kw_only=True)
class Project:
    """Where things are. Paths alone: what is in the files is read by calls that say so.

    Attributes:
        root: the project's folder.
        state: the folder for logs, receipts and build contexts; it may be deleted at any time.
        services_folder: the folder of the services; symbolic links are resolved.
        builtin: whether it is the package's own project, which is read-only.
    """

    root: Path
    state: Path
    services_folder: Path
    builtin: bool

    @property
    def lock(self) -> Path:
        """baker.lock."""
        return self.root / "baker.lock"

    def names(self) -> tuple[str, ...]:
        """Return the names of all services, sorted."""
        return tuple(sorted(path.parent.name for path in self.services_folder.glob("*/service.toml")))

    def read_services(self, wanted: Sequence[str]) -> tuple[Service, ...]:
        """Read the services with these names; none means all of them.

        Raises:
            UsageError: there is no such service, or its service.toml is wrong.
        """
        legal = self.names()
        if not legal:
            raise UsageError(f"{self.services_folder} has no service: a service is a folder with a service.toml in it")
        for name in wanted:
            if name not in legal:
                raise UsageError(f"there is no service {name!r} in {self.services_folder}; {closest(name, legal)}")
        return services.load_all(self.services_folder / name for name in sorted(set(wanted or legal)))

    def sort(self, names: Sequence[str], known: Callable[[str], bool]) -> tuple[list[str], list[str]]:
        """Sort names into those of services and those of images.

        What is no service is an image when it has a registry, a tag or a digest in it, or `known` says so.
        """
        legal = self.names()
        images = [name for name in names if name not in legal and (re.search("[/:@]", name) or known(name))]
        return [name for name in names if name not in images], images

    def read_settings(self) -> Settings:
        """Read baker.toml, or the defaults where there is none."""
        path = self.root / MARKER
        return settings.load(path if path.exists() else None)

    def read_pins(self) -> Pins:
        """Read baker.lock."""
        return pins.load(self.lock)


def find(start: Path, *, strict: bool = False, trust: Trust | None = None) -> Project:
    """Return the project that a folder lies in, or the package's own, which leaves its state in `start`/.baker.

    Args:
        start: the folder.
        strict: the folder was named: it must be there, and lie in a project.
        trust: whose projects are read; None is everybody's.

    Raises:
        UsageError: the folder is none, lies in no project where it must, or the project is another user's.
    """
    try:
        start = start.resolve()
        if strict and not start.is_dir():
            raise UsageError(f"{start}: there is no such folder")
        root = next((folder for folder in (start, *start.parents) if (folder / MARKER).exists()), None)
        services = ((root or BUILTIN) / "services").resolve()
    except (OSError, RuntimeError) as error:
        # No permission, a name that is too long, a loop of links.
        raise UsageError(f"{start}: {getattr(error, 'strerror', None) or 'a loop of links'}") from error
    if root is None and strict:
        raise UsageError(f"{start} is no project: neither it nor a folder above it has a {MARKER}; see `baker init`")
    state = (root or start) / ".baker"
    if trust:
        own = (root, root / MARKER, root / "services", root / "baker.lock") if root else ()
        owner.check(root or start, (*own, state), trust)
    return Project(root=root or BUILTIN, state=state, services_folder=services, builtin=root is None)
