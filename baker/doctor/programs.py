"""The programs that a build and publishing take, and how to install them."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from baker.build import base as bases
from baker.build import root_image
from baker.buildkit import builder
from baker.config import platforms
from baker.doctor.finding import MISSING, NOTE, OK, Finding, Fix
from baker.errors import BakerError, CommandError, MissingProgramError
from baker.registry import programs
from baker.system import emulation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from baker.config.project import Project
    from baker.config.settings import Settings
    from baker.engine.interface import Engine

SETUP = "scripts/setup.sh"
MMDEBSTRAP = ("mmdebstrap", "debian-archive-keyring")


def tried(name: str, look: Callable[[], str], fix: Fix | None = None) -> Finding:
    """Return what a look found; when it fails, `make setup` of a checkout may help."""
    try:
        return Finding(name=name, state=OK, detail=look())
    except CommandError as error:
        detail = f"{error.tail or error}: `make setup` installs it"
        return Finding(name=name, state=MISSING, detail=detail, fix=fix)
    except BakerError as error:
        return Finding(name=name, state=MISSING, detail=str(error), fix=fix)


def platform(settings: Settings, engine: Engine) -> Finding:
    """Say what the builder builds for: natively, emulated, and of what is asked for or could be, what it cannot."""
    try:
        found = builder.inspect(engine, next(iter(settings.builders), ""))
    except BakerError as error:
        return Finding(name="platforms", state=MISSING, detail=str(error))
    kinds = {each.name: each for each in platforms.ALL}
    lacks = [each for name, each in kinds.items() if name not in found.platforms]
    emulated = [name for name in kinds if name in found.platforms and name not in found.native]
    detail = f"{', '.join(found.native)}{', emulated: ' + ', '.join(emulated) if emulated else ''}"
    if not lacks:
        return Finding(name="platforms", state=OK, detail=detail)
    wanted = any(each.name in settings.platforms for each in lacks)
    detail += f"; for {lacks[0].name}: {emulation.hint(lacks[0].architecture)}"
    return Finding(name="platforms", state=MISSING if wanted else NOTE, detail=detail)


def compose(engine: Engine, fix: Fix | None) -> Finding:
    """Look for the plugin; without it docker prints all of its help."""
    try:
        version = engine.command("compose", "version", "--short").strip()
    except MissingProgramError as error:
        return Finding(name="compose", state=MISSING, detail=str(error), fix=fix)
    except CommandError:
        detail = "docker has no compose plugin: `make setup` installs it"
        return Finding(name="compose", state=MISSING, detail=detail, fix=fix)
    return Finding(name="compose", state=OK, detail=version)


def setup(project: Project, what: str) -> Fix | None:
    """Return the fix that a checkout's own script is; outside of one there is none."""
    script = project.root / SETUP
    return Fix(what=what, commands=((str(script),),)) if script.exists() else None


def base(project: Project, settings: Settings, environment: Mapping[str, str]) -> Finding:
    """Look at the base that a build would take."""
    try:
        pinned = project.read_pins().nvidia
    except BakerError as error:
        return Finding(name="base", state=MISSING, detail=str(error))
    chosen, why = bases.choose(settings.base, settings.mirrors.registry, pinned, bases.missing(environment))
    if chosen == "debian" and not shutil.which(MMDEBSTRAP[0], path=environment.get("PATH")):
        detail = f"{why}; it needs mmdebstrap: {root_image.HINT}"
        return Finding(name="base", state=MISSING, detail=detail, fix=install(MMDEBSTRAP, environment))
    return Finding(name="base", state=OK, detail=why)


def publishing(environment: Mapping[str, str]) -> tuple[Finding, ...]:
    """Look for what `baker publish` takes beside Docker."""
    return tuple(_program(name, hint, environment) for name, hint in programs.HINTS.items())


def _program(name: str, hint: str, environment: Mapping[str, str]) -> Finding:
    path = shutil.which(name, path=environment.get("PATH"))
    if path:
        return Finding(name=name, state=OK, detail=path)
    detail = f"not installed, and `baker publish` takes it: {hint}"
    return Finding(name=name, state=NOTE, detail=detail, fix=install((name,), environment))


def install(packages: tuple[str, ...], environment: Mapping[str, str]) -> Fix | None:
    """Return how to install packages of the distribution; None where there is no apt-get, or no right to use it."""
    path = environment.get("PATH")
    sudo: tuple[str, ...] = () if os.geteuid() == 0 else ("sudo",)
    if not shutil.which("apt-get", path=path) or (sudo and not shutil.which("sudo", path=path)):
        return None
    commands = ((*sudo, "apt-get", "update"), (*sudo, "apt-get", "install", "--yes", *packages))
    return Fix(what=f"install {' and '.join(packages)}", commands=commands)
