"""A build as asked for: a project's services, pins and settings, read once at the edge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from baker.build import receipt
from baker.config import platforms

if TYPE_CHECKING:
    from pathlib import Path

    from baker.config.pins import Pins
    from baker.config.platforms import Platform
    from baker.config.project import Project
    from baker.config.service import Service
    from baker.config.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to build: services of a project, from its pins, under its settings and what the command line says.

    `host` is the platform of this machine, for where nobody names one and no builder is asked.
    """

    project: Project
    settings: Settings
    pins: Pins
    services: tuple[Service, ...]
    host: Platform

    @property
    def platform(self) -> Platform:
        """What the images are for: the one platform of the settings, else that of this machine."""
        return platforms.find(self.settings.platforms[0]) if self.settings.platforms else self.host

    @property
    def receipts(self) -> Path:
        """The folder of the receipts of its platform."""
        return self.project.state / f"{receipt.FOLDER}{self.platform.suffix}"

    def each(self) -> tuple[Request, ...]:
        """Return a request for each platform that is named; itself where there is one or none."""
        names = self.settings.platforms
        return tuple(self.on(name) for name in names) if len(names) > 1 else (self,)

    def at(self, machine: str) -> Request:
        """Return the same request for an engine whose processor the kernel calls `machine`."""
        return replace(self, host=platforms.of_machine(machine))

    def on(self, platform: str) -> Request:
        """Return the same request for one platform."""
        return replace(self, settings=replace(self.settings, platforms=(platform,)))

    @property
    def epoch(self) -> int | None:
        """The time of everything in the images, in seconds since 1970; None leaves each its own."""
        return self.pins.debian.epoch() if self.settings.reproducible else None

    @property
    def targets(self) -> tuple[str, ...]:
        """The stages that become images."""
        suffix = "-builder" if self.settings.variant == "builder" else ""
        return tuple(service.name + suffix for service in self.services)
