"""Three ways from `up` to a word, on one machine and in one go: compile at start, cache volumes, baked images."""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from baker.bench.startup import devel, result
from baker.bench.startup.copies import copied, lay_out
from baker.bench.startup.life import Life
from baker.bench.startup.result import BAKED, SCENARIOS, WAYS, Result
from baker.bench.startup.stack import Stack
from baker.build import planning
from baker.build.machine import probe
from baker.build.request import Request
from baker.buildkit import builder
from baker.config import cuda, project
from baker.errors import CommandError, EngineError, InterruptedBuildError, UsageError
from baker.system.units import GIGABYTE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from baker.bench.startup.copies import Copy
    from baker.bench.startup.progress import Progress
    from baker.bench.startup.subject import Subject, Versions
    from baker.dockerfile.plan import Plan
    from baker.engine.client import Docker

# Round by round, the way that is quickest to tell of a mistake first.
ORDER = (BAKED, "volumes", "upstream")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is to be measured. `shared` lets upstream's first start stand for what is the same work."""

    runs: int
    ways: tuple[str, ...] = WAYS
    scenarios: tuple[str, ...] = SCENARIOS
    shared: bool = False
    resume: bool = False


@dataclass(frozen=True, kw_only=True)
class Stage:
    """All that lives go on: the subject, a project of the benchmark's own, the image that compiles at start.

    `name` is what everything in the engine is called after, `path` the file of the result.
    """

    engine: Docker
    name: str
    path: Path
    subject: Subject
    versions: Versions
    copy: Copy
    plan: Plan
    ca: Path | None
    progress: Progress

    def life(self, way: str, number: int) -> Life:
        """Return a life that begins on an empty machine."""
        return Life(
            way=way,
            run=number,
            stack=self.stack(way),
            copy=self.copy,
            subject=self.subject,
            versions=self.versions,
            binary=self.plan.binaries[0].crate.binary,
            options=(f"--base={self.plan.base}", f"--accel={self.plan.accel}"),
            logs=self.path.parent / "logs",
            progress=self.progress,
        )

    def stack(self, way: str) -> Stack:
        """Return a way's compose project."""
        binary, service = self.plan.binaries[0], self.subject.service
        environment = {
            "BENCH_IMAGE": self.copy.image(service if way == BAKED else devel.NAME),
            "BENCH_COMMAND": self.subject.command,
            "BENCH_CONFIGS": str(self.copy.root / "services" / service / "configs"),
            "BENCH_MODELS": str(self.copy.root / "models"),
            "BENCH_CA": str(self.ca or os.devnull),
            "BENCH_CRATE": binary.crate.name,
            "BENCH_BINARY": binary.crate.binary,
            "BENCH_FEATURES": ",".join(binary.features),
            "BENCH_VERSION": self.versions.previous.version,
        }
        return Stack(engine=self.engine, project=f"{self.name}-{way}", way=way, environment=environment)


def measure(
    subject: Subject,
    source: Request,
    wish: Wish,
    engine: Docker,
    progress: Progress,
    *,
    seen: Callable[[Result], None] = lambda _: None,
) -> Result:
    """Measure, and write each measurement down as soon as it is there.

    Args:
        subject: what is started.
        source: the project whose pins and settings count; its services are not looked at.
        wish: what is to be measured.
        engine: where it is measured.
        progress: where it is shown.
        seen: is told the result so far, after each measurement.

    Raises:
        InterruptedBuildError: Ctrl-C; containers, volumes and images of the benchmark are gone by then.
    """
    state = source.project.state / "bench" / f"{subject.form}-{source.settings.accel}"
    path = state / "result.json"
    state.mkdir(parents=True, exist_ok=True)
    try:
        with alone(state):
            before = result.read(path) if wish.resume else None
            if before is not None and not _missing(before, wish):
                return before
            require(subject, engine)
            with staged(engine, subject, source, wish, path=path, progress=progress) as stage:
                return _measured(stage, wish, before, seen)
    except KeyboardInterrupt as stop:
        raise InterruptedBuildError(
            f"interrupted: what the benchmark started is removed; {path} has what it measured, --resume goes on"
        ) from stop


def called(path: Path) -> str:
    """Return what everything in the engine is called after: another project's benchmark has another name."""
    return f"baker-bench-{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}"


@contextmanager
def staged(
    engine: Docker,
    subject: Subject,
    source: Request,
    wish: Wish,
    *,
    path: Path,
    progress: Progress,
) -> Iterator[Stage]:
    """Yield a stage for a subject, with a project's pins and settings; all that it made is removed at the end."""
    versions = subject.versions()
    name = called(path)
    with copied(source.project, name, engine) as copy:
        subject.lay_out(copy.root)
        lay_out(copy, versions)
        found = project.find(copy.root)
        settings = replace(found.read_settings(), base=source.settings.base, accel=source.settings.accel)
        pins = found.read_pins()
        services, settings = cuda.settle(found.read_services((subject.service,)), settings, pins)
        request = Request(project=found, settings=settings, pins=pins, services=services, host=source.host)
        machine = probe(engine, settings.builders)
        prepared = devel.prepared(request, machine, engine, progress.say)
        if set(wish.ways) - {BAKED}:
            progress.begin("the image that compiles at start")
            devel.make(prepared, machine, engine, copy, progress.say)
        yield Stage(
            engine=engine,
            name=name,
            path=path,
            subject=subject,
            versions=versions,
            copy=copy,
            plan=prepared.plan,
            ca=devel.ca(settings, engine.environment),
            progress=progress,
        )


def _missing(done: Result, wish: Wish) -> list[tuple[int, str, tuple[str, ...]]]:
    """Return what is not measured yet: round by round, the way, the scenarios."""
    rounds = ((number, way) for number in range(1, wish.runs + 1) for way in ORDER if way in wish.ways)
    lives = ((run, way, tuple(name for name in wish.scenarios if not done.has(way, name, run))) for run, way in rounds)
    return [life for life in lives if life[2]]


def _measured(stage: Stage, wish: Wish, before: Result | None, seen: Callable[[Result], None]) -> Result:
    """Go on from what was measured before."""
    done = _begin(stage, before)
    seen(done)

    def keep(found: Result) -> None:
        # Told first: a disk that is full takes no file.
        seen(found)
        result.write(found, stage.path)

    for number, way, scenarios in _missing(done, wish):
        done = _lived(stage.life(way, number), scenarios, wish, done, keep)
    return done


def _lived(life: Life, missing: tuple[str, ...], wish: Wish, done: Result, keep: Callable[[Result], None]) -> Result:
    """Live a life, and keep each measurement as soon as it is there."""
    try:
        for item in life.live(missing, shared=wish.shared):
            done = done.plus(item)
            keep(done)
            life.progress.measured(item)
            if done.weight(life.way) is None:
                done = done.weighed(life.weigh())
                keep(done)
    finally:
        life.stack.down(volumes=True)
    return done


def require(subject: Subject, engine: Docker) -> None:
    """Raise EngineError where buildx, compose or room on the disk is missing."""
    builder.require_buildx(engine)
    try:
        engine.command("compose", "version")
    except CommandError as error:
        raise EngineError("docker has no compose: see https://docs.docker.com/compose/install/linux/") from error
    here = engine.describe()
    free = planning.free(here)
    if free is not None and free < subject.room:
        raise EngineError(
            f"only {free / GIGABYTE:.1f} GB are free under {here.root}, and the {subject.form} benchmark takes up to "
            f"{subject.room / GIGABYTE:.0f}: `docker system df` shows what takes the room"
        )


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """Hold a lock while a block runs, or raise UsageError where another benchmark holds it."""
    with (state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(f"another benchmark works in {state}: wait for its end") from error
        yield


def _begin(stage: Stage, before: Result | None) -> Result:
    """Return the result to go on from: what was measured before of the same, or an empty one."""
    new = Result(
        form=stage.subject.form,
        base=stage.plan.base,
        accel=stage.plan.accel,
        crate=stage.versions.crate,
        previous=stage.versions.previous.version,
        pinned=stage.versions.pinned.version,
        machine=f"{os.cpu_count()} cores, Docker {stage.engine.describe().version}",
    )
    if before is None:
        return new
    if replace(before, measurements=(), weights=()) != new:
        raise UsageError("what was measured before is of other versions or another machine: leave --resume out")
    return before
