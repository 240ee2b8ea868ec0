"""The machine that the engine runs on: disk, memory, cores, clock."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baker.build import figures
from baker.buildkit import builder, storage
from baker.doctor.finding import NOTE, OK, Finding
from baker.errors import BakerError
from baker.system import disk
from baker.system.http import Http
from baker.system.units import GIGABYTE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from baker.config.settings import Settings
    from baker.engine.interface import Engine, EngineInfo

# By what `docker info` says under SecurityOptions. A container sees a user namespace, but not which of both made it.
IN_CONTAINER = "`docker run --rm --user 0 --entrypoint chown --volume FOLDER:/x IMAGE -R 1000:1000 /x`"
OWNERS = {
    "rootless": "rootless Docker: uid 1000 of an image is another number on the host, so that `chown 1000:1000` there "
    f"is wrong; run {IN_CONTAINER}, or start containers with --user 0, which is you and no root of the host",
    "userns": "userns-remap: uid 1000 of an image is another number on the host, so that `chown 1000:1000` there is "
    f"wrong; run {IN_CONTAINER}, after the folder is given to the remapped root (the first number in /etc/subuid)",
    "selinux": "SELinux: mount folders of the host with :z, as in --volume ./models:/root/.cache/huggingface:z; their "
    "owner alone is not enough",
}
# A compile runs one rustc for each core, and linking takes some GB at its end.
MEMORY = 8
CORES = 4
# What certificates and the signed lists of apt forgive, and a person does not notice.
SKEW = timedelta(minutes=2)
CRATES = "https://index.crates.io/"


def info(engine: Engine) -> Mapping[str, Any]:
    """Return what `docker info` says; nothing where no engine answers."""
    with suppress(BakerError):
        found: dict[str, Any] = json.loads(engine.command("info", "--format", "{{json .}}"))
        return found
    return {}


def room(engine: Engine) -> Finding:
    """Look at the disk."""
    needed = figures.shipped().room / GIGABYTE
    here: EngineInfo | None = None
    with suppress(BakerError):
        here = engine.describe()
    if here and not here.local:
        detail = f"that of the engine's own machine; a first build takes about {needed:.0f} GB there"
        return Finding(name="disk", state=NOTE, detail=detail)
    root = here.root if here else "/"
    free = disk.free(Path(root)) / GIGABYTE
    detail = f"{free:.0f} GB free; a first build takes about {needed:.0f} GB"
    return Finding(name="disk", state=OK if free > needed else NOTE, detail=detail)


def cache(settings: Settings, engine: Engine) -> Finding:
    """Look at how much the builders keep: one that keeps less than a build makes drops what was compiled."""
    try:
        kept = [builder.inspect(engine, name).keeps for name in settings.builders or ("",)]
    except BakerError as error:
        return Finding(name="cache", state=NOTE, detail=str(error))
    least = min((each for each in kept if each), default=0)
    if said := storage.warning(least, figures.shipped().cache(settings.accel)):
        return Finding(name="cache", state=NOTE, detail=said)
    detail = f"the builder keeps {least / GIGABYTE:.0f} GB" if least else "the builder keeps what the disk takes"
    return Finding(name="cache", state=OK, detail=detail)


def owners(engine: Engine) -> tuple[Finding, ...]:
    """Say how a mounted folder becomes writable where `chown -R 1000:1000` on the host is not enough, or is wrong."""
    try:
        security = engine.describe().security
    except BakerError:
        return ()
    return tuple(Finding(name="owners", state=NOTE, detail=OWNERS[name]) for name in OWNERS if name in security)


def power(told: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Look at memory and cores, as the engine tells of them."""
    memory, cores = int(told.get("MemTotal", 0)) / GIGABYTE, int(told.get("NCPU", 0))
    if not memory or not cores:
        return ()
    enough = memory >= MEMORY
    advice = "" if enough else f": a compile may end for lack of memory, {MEMORY} GB are enough; add swap, or take"
    advice += "" if enough else " a registry cache that another machine filled (--cache-from)"
    few = ": a first compile takes a quarter of an hour and more" if cores < CORES else ""
    return (
        Finding(name="memory", state=OK if enough else NOTE, detail=f"{memory:.0f} GB{advice}"),
        Finding(name="cores", state=NOTE if few else OK, detail=f"{cores}{few}"),
    )


def clock(told: Mapping[str, Any], now: datetime, remote: datetime | None) -> Finding:
    """Compare this machine's clock with the engine's, and with that of a server.

    Args:
        told: what the engine says.
        now: the time here.
        remote: the time of a server of the network; None where none was asked or answered.
    """
    clocks = {"the engine": _time(str(told.get("SystemTime", ""))), "the network": remote}
    off = {name: time - now for name, time in clocks.items() if time is not None}
    wrong = [f"{name} is {abs(by).total_seconds():.0f} s {_way(by)}" for name, by in off.items() if abs(by) > SKEW]
    if wrong:
        advice = "set the clock, as with `sudo timedatectl set-ntp true`: certificates and signed lists go by it"
        return Finding(name="clock", state=NOTE, detail=f"{', '.join(wrong)}: {advice}")
    if not off:
        return Finding(name="clock", state=OK, detail="nothing answers that it could be compared with")
    return Finding(name="clock", state=OK, detail=f"agrees with {' and '.join(off)}")


def network_time(settings: Settings) -> datetime | None:
    """Return the time of the crates' index, which a build asks anyway; None where it does not answer."""
    url = (settings.mirrors.crates or CRATES).rstrip("/") + "/config.json"
    with suppress(BakerError, ValueError), Http(tries=1, seconds=5.0) as web:
        answer = web.ask("GET", url)
        return parsedate_to_datetime(answer.headers.get("Date", ""))
    return None


def _time(text: str) -> datetime | None:
    # Docker writes nanoseconds, which Python 3.11 does not read.
    with suppress(ValueError):
        return datetime.fromisoformat(text[:19] + "+00:00") if text.endswith("Z") else datetime.fromisoformat(text)
    return None


def _way(by: timedelta) -> str:
    return "ahead" if by > timedelta() else "behind"
