"""Before a build: what it will do, what that takes, and whether the disk has room for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.filesize import decimal

from baker.build import estimate, figures, forecast, prepare, record
from baker.build.machine import probe
from baker.buildkit import cache_local, history, storage
from baker.dockerfile import labels
from baker.errors import EngineError
from baker.system import disk
from baker.system.units import GIGABYTE, duration, rounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from baker.build.estimate import Estimate
    from baker.build.machine import Machine
    from baker.build.prepare import Prepared
    from baker.build.request import Request
    from baker.dockerfile.plan import Plan
    from baker.engine.interface import Engine, EngineInfo

# Whatever a build makes, an engine does not work well with less.
LEAST_FREE = 3 * GIGABYTE
# Cached stages that took less than this in all are not worth a line.
WORTH_TELLING = 5.0
ADVICE = "`docker system df` and `docker buildx du` show what takes the room"


def plan_images(request: Request, engine: Engine, say: Callable[[str], None]) -> Estimate:
    """Say what a build of some services would do with each stage, why, and what it takes; nothing is built."""
    machine = probe(engine, request.settings.builders)
    prepared = prepare.prepare(request, machine, engine.environment, say)
    return outlook(prepared, machine, engine, kept(prepared, machine, engine))


def kept(prepared: Prepared, machine: Machine, engine: Engine) -> frozenset[str]:
    """Return the stages that the builders still have in their caches.

    Raises:
        EngineError: a builder does not say.
    """
    stages = prepared.needed()
    return frozenset(name for each in machine.builders for name in cache_local.kept(engine, each.name, stages))


def expected(prepared: Prepared, machine: Machine, engine: Engine) -> Estimate:
    """Return what a prepared build will do and take. A builder that does not say what it has counts as having all."""
    try:
        there = kept(prepared, machine, engine)
    except EngineError:
        there = None
    return outlook(prepared, machine, engine, there)


def outlook(prepared: Prepared, machine: Machine, engine: Engine, there: frozenset[str] | None) -> Estimate:
    """Return what a prepared build will do and take; `there` are the stages that the builders have, if they say it."""
    request, plan = prepared.request, prepared.plan
    by = [each.cache_id for each in machine.builders]
    made = [entry for entry in history.read(request.project.state) if entry.builder in by]
    digests = {digest for found in engine.labels(labels.STAGES) for digest in labels.stage_digests(found)}
    stages = prepared.needed()
    found = forecast.forecast(stages, request.targets, made, digests, there)
    here = estimate.Machine(base=plan.base, accel=accel_of(plan), cores=machine.engine.cores)
    kind = (plan.base, plan.accel, request.platform.name)
    builds = [build for build in record.read(request.project.state) if build.kind == kind]
    return estimate.estimate(found, stages, request.targets, here, there=there or (), builds=builds)


def accel_of(plan: Plan) -> str:
    """Return the accel that a plan's figures are kept by: a toolkit from wheels has stages of its own."""
    return f"{plan.accel}{plan.cuda}" if plan.toolkit else plan.accel


def told(found: Estimate, free: int | None = None) -> Iterator[str]:
    """Yield the lines that say what a build will take; none where nothing has to be made.

    Args:
        found: the estimate.
        free: the bytes that are free on the engine's disk, where they are known.
    """
    work = found.work
    if work:
        what = "a first build" if found.first else f"{len(work)} of {len(found.outlooks)} stages to build"
        yield f"{what}: {', '.join(_amounts(found, free))}"
        if found.schedule.unknown and found.schedule.seconds:
            yield f"not measured yet: {', '.join(sorted(found.schedule.unknown))}"
    yield from _again(found)


def _amounts(found: Estimate, free: int | None) -> Iterator[str]:
    seconds = found.schedule.total
    cores = f" on {found.cores} cores" if found.cores and any(item.shipped for item in found.work) else ""
    if seconds:
        yield f"{'at least' if found.schedule.unknown else 'about'} {rounded(seconds)}{cores}"
    if found.download:
        yield f"{decimal(found.download)} to download"
    if found.disk:
        room = "" if free is None else f" ({decimal(free)} are free)"
        yield f"{decimal(found.disk)} of disk at its peak{room}"
    if not seconds and not found.disk:
        yield "nobody has measured yet what they take"


def _again(found: Estimate) -> Iterator[str]:
    """Yield what is not done again."""
    likely = [item.stage for item in found.outlooks if item.likely]
    if likely:
        yield f"probably in the builder's cache, from another project: {', '.join(likely)}"
    last = found.interrupted
    if last is not None:
        ended = "was interrupted" if last.state == record.INTERRUPTED else "failed"
        yield f"the last build {ended} after {duration(last.seconds)}; this one goes on from there"
    done = [item for item in found.cached if item.stage != "root"]
    took = sum(item.seconds for item in done)
    if took >= WORTH_TELLING or (last is not None and done):
        names = ", ".join(item.stage for item in done)
        yield f"not built again: {names}{f', which took {duration(took)}' if took else ''}"
    for name, crates, of in found.compiled:
        yield f"not compiled again: {crates} of {of} crates of {name}"


def warn_of_small_cache(machine: Machine, accel: str, say: Callable[[str], None]) -> None:
    """Say before a long compile that a builder's garbage collection drops what it makes."""
    needed = figures.shipped().cache(accel)
    for each in machine.builders:
        if told_of := storage.warning(each.keeps, needed):
            say(f"note: {f'{each.name}: ' if each.name else ''}{told_of}")


def free(here: EngineInfo) -> int | None:
    """Return the bytes that are free on the engine's disk; None where that is another machine's."""
    root = Path(here.root)
    return disk.free(root) if here.local and root.exists() else None


def require_room(needed: int, here: EngineInfo, room: int | None, *, anyway: bool = False) -> None:
    """Refuse a build that does not fit on the engine's disk.

    Args:
        needed: the bytes that it takes at its peak.
        here: the engine.
        room: what is free there; None is not looked at.
        anyway: whether to build on an estimate that does not fit; a disk that is full is refused nevertheless.

    Raises:
        EngineError: it does not fit.
    """
    if room is None:
        return
    if room < LEAST_FREE:
        raise EngineError(f"only {decimal(room)} are free under {here.root}. {ADVICE}")
    if room < needed and not anyway:
        raise EngineError(
            f"this build takes about {decimal(needed)} at its peak, and {decimal(room)} are free under {here.root}. "
            f"{ADVICE}; --no-disk-check builds anyway"
        )
