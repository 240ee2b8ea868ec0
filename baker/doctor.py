"""The doctor: what this machine has, and what to do about what it lacks."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from baker import bases, build, engine, run, secrets
from baker.errors import BakerError, CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from baker.project import Project

GIGABYTE = 10**9
ROOM = 45


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at. `state` is ok, note (works, with a limit) or missing (a build cannot run)."""

    name: str
    state: str
    detail: str


def examine(project: Project, environment: Mapping[str, str]) -> tuple[Finding, ...]:
    """Look at everything that a build and a start need; nothing is changed."""
    settings = project.settings()
    bundle = dict(secrets.collect(settings, environment)).get("ca")
    return (
        _try("engine", lambda: f"Docker {engine.describe().version}"),
        _try("buildx", build.require_buildx),
        _try("compose", lambda: run.capture(["docker", "compose", "version", "--short"]).strip()),
        _base(settings.base, settings.mirrors.registry),
        _disk(),
        Finding(name="authorities", state="ok", detail=str(bundle) if bundle else "the public ones"),
        _card(),
    )


def _try(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name=name, state="ok", detail=look())
    except CommandError as error:
        return Finding(name=name, state="missing", detail=f"{error.tail or error}: `make setup` installs it")
    except BakerError as error:
        return Finding(name=name, state="missing", detail=str(error))


def _base(wanted: str, registry: str) -> Finding:
    base, why = bases.choose(wanted, registry, bases.reaches)
    if base == "debian" and not shutil.which("mmdebstrap"):
        return Finding(name="base", state="missing", detail=f"{why}; it needs mmdebstrap: {bases.HINT}")
    return Finding(name="base", state="ok", detail=why)


def _disk() -> Finding:
    try:
        here = engine.describe()
    except BakerError:
        here = None
    if here and not here.local:
        detail = f"that of the engine's own machine; a first build takes about {ROOM} GB there"
        return Finding(name="disk", state="note", detail=detail)
    root = here.root if here else "/"
    free = shutil.disk_usage(root if Path(root).exists() else "/").free / GIGABYTE
    state = "ok" if free > ROOM else "note"
    return Finding(name="disk", state=state, detail=f"{free:.0f} GB free; a first build takes about {ROOM} GB")


def _card() -> Finding:
    query = ["nvidia-smi", "--query-gpu=name,compute_cap,driver_version", "--format=csv,noheader"]
    try:
        cards = run.capture(query).strip().splitlines()
    except CommandError:
        detail = "no NVIDIA driver here: images can be built, and run with --cpu"
        return Finding(name="card", state="note", detail=detail)
    return Finding(name="card", state="ok", detail="; ".join(cards))
