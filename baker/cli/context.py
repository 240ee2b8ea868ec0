"""What the command line hands to everything below it: the environment, the engine, the console, the project."""

from __future__ import annotations

import os
from contextlib import ExitStack
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from baker.config.platforms import Platform
    from baker.config.project import Project
    from baker.engine.client import Docker


@dataclass(frozen=True, kw_only=True)
class Session:
    """One call of the command line: its docker context, what is closed at its end, and how much it says."""

    docker_context: str = ""
    closing: ExitStack = field(default_factory=ExitStack)
    verbose: bool = False
    quiet: bool = False


# Set by the app's callback, which runs before every command.
SESSION: ContextVar[Session] = ContextVar("session")


def environment() -> Mapping[str, str]:
    """Return the environment of every program that is started.

    `baker --context NAME` picks an engine as `docker --context NAME` does: it comes before DOCKER_HOST.
    """
    chosen = SESSION.get().docker_context
    if not chosen:
        return dict(os.environ)
    return {**{key: value for key, value in os.environ.items() if key != "DOCKER_HOST"}, "DOCKER_CONTEXT": chosen}


def engine() -> Docker:
    """Return the engine; its connection is closed when the command ends."""
    from baker.engine.client import Docker

    return SESSION.get().closing.enter_context(Docker(environment()))


def host() -> Platform:
    """Return the platform of this machine."""
    from baker.config import platforms

    return platforms.of_machine(os.uname().machine)


def project(folder: Path | None) -> Project:
    """Return the project in a folder or around it; None is the working directory."""
    from baker.config import owner
    from baker.config import project as projects

    trust = owner.trust(os.environ, os.geteuid())
    return projects.find(folder or Path.cwd(), strict=folder is not None, trust=trust)


def now() -> datetime:
    """Return the time."""
    return datetime.now(tz=UTC)


def console(*, err: bool = False) -> Console:
    """Return the console for results: stdout, or stderr. Nothing is wrapped."""
    from rich.console import Console

    return Console(stderr=err, soft_wrap=True)


def notes() -> Console:
    """Return the console for notes and progress: stderr, so that stdout has the result alone; with -q it is silent."""
    return progress(err=True)


def progress(*, err: bool = False) -> Console:
    """Return the console for progress; with -q it is silent."""
    from rich.console import Console

    return Console(stderr=err, soft_wrap=True, quiet=SESSION.get().quiet)
