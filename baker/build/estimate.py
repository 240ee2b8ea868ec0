"""What a build will take: time by the critical path, bytes to download, disk at its peak.

The numbers are this project's own where it has some, else the shipped figures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from baker.build import figures, record
from baker.build.forecast import CACHED, LIKELY, NEW, SETTINGS
from baker.build.recorder import EXPORT, VERIFY
from baker.buildkit.schedule import Schedule
from baker.dockerfile.stages import LAYERING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from baker.build.figures import Shipped
    from baker.build.forecast import Outlook
    from baker.dockerfile.stages import Stage

# The cache mount that keeps what cargo has compiled.
TARGET = "id=baker-target-"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What figures depend on: base, accel and the cores of the engine's machine, 0 where it does not say them.

    The accel has the CUDA release at its end where that comes from wheels.
    """

    base: str
    accel: str
    cores: int


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a build is expected to take.

    Attributes:
        outlooks: of each stage, in the Dockerfile's order.
        schedule: seconds of what has to be made, and what waits for what.
        cores: of the machine.
        interrupted: the record of the last build, when that one was ended by Ctrl-C or failed.
        compiled: (stage, crates, of how many) of compiles that go on where that build stopped.
    """

    outlooks: tuple[Outlook, ...]
    schedule: Schedule
    cores: int
    interrupted: record.Build | None = None
    compiled: tuple[tuple[str, int, int], ...] = ()

    @property
    def work(self) -> tuple[Outlook, ...]:
        """The stages that have to be made."""
        return tuple(item for item in self.outlooks if item.work)

    @property
    def cached(self) -> tuple[Outlook, ...]:
        """The stages that are there already."""
        return tuple(item for item in self.outlooks if item.state == CACHED)

    @property
    def first(self) -> bool:
        """Whether everything has to be made."""
        return len(self.work) == len(self.outlooks)

    @property
    def download(self) -> int:
        """Bytes to download."""
        return sum(item.download for item in self.work)

    @property
    def disk(self) -> int:
        """Bytes of disk that are taken when the build ends, which is its peak: nothing is removed before."""
        return sum(item.disk for item in self.work)


def estimate(
    outlooks: Sequence[Outlook],
    stages: Sequence[Stage],
    targets: Collection[str],
    machine: Machine,
    *,
    there: Collection[str] = (),
    builds: Sequence[record.Build] = (),
    shipped: Shipped | None = None,
) -> Estimate:
    """Return what a build is expected to take.

    Args:
        outlooks: what forecast() said.
        stages: those of the Dockerfile, in its order.
        targets: the stages that become images.
        machine: what builds.
        there: the stages whose instructions the builder's cache has, whoever made them.
        builds: records of this project's builds, newest first.
        shipped: the figures for what was never made here; by default those of this release.
    """
    table = shipped or figures.shipped()
    found = tuple(_filled(item, machine, table) for item in _told_apart(outlooks, stages, there))
    last = builds[0] if builds and builds[0].state != record.FINISHED else None
    half = _half_compiled(stages, last)
    found = tuple(_resumed(item, half.get(item.stage)) for item in found)
    seconds = {item.stage: item.seconds for item in found if item.work and item.seconds}
    images = [item.stage for item in found if item.stage in targets and (item.work or item.state == SETTINGS)]
    schedule = Schedule(
        seconds=seconds,
        after={stage.name: tuple(filter(None, (*stage.sources, stage.parent))) for stage in stages},
        unknown=frozenset(item.stage for item in found if item.work and not item.seconds),
        finish=sum(_finish(name, machine, builds, table) for name in images),
    )
    return Estimate(
        outlooks=found,
        schedule=schedule,
        cores=machine.cores,
        interrupted=last,
        compiled=tuple((item.stage, *half[item.stage]) for item in found if item.work and item.stage in half),
    )


def _told_apart(outlooks: Sequence[Outlook], stages: Sequence[Stage], there: Collection[str]) -> Iterator[Outlook]:
    """Yield the outlooks; what is new to this project, but probably not to the builder, says so."""
    likely = {""} | {item.stage for item in outlooks if item.state == CACHED}
    for item, stage in zip(outlooks, stages, strict=True):
        layered = any(text.startswith(LAYERING) for text in stage.instructions)
        if item.why == (NEW,) and stage.parent in likely and (not layered or stage.name in there):
            likely.add(stage.name)
            yield replace(item, why=(LIKELY,)) if layered else item
        else:
            yield item


def _filled(item: Outlook, machine: Machine, table: Shipped) -> Outlook:
    """Return an outlook with what the shipped figures say, where this project has no numbers of its own."""
    figure = table.of(item.stage, machine.base, machine.accel)
    if figure is None or not item.work:
        return item
    disk = figure.disk + figure.store
    # What was made here before finds its downloads in the cache mounts, but for what is new.
    download = figure.download if item.why == (NEW,) else 0
    seconds = item.seconds or figures.scaled(figure, table.cores, machine.cores)
    return replace(item, seconds=seconds, download=download, disk=disk, shipped=not item.seconds)


def _half_compiled(stages: Sequence[Stage], last: record.Build | None) -> dict[str, tuple[int, int]]:
    """Return how many crates of how many the last build had compiled when it ended, by stage.

    Only those count that cargo keeps in a cache mount.
    """
    keeping = {stage.name for stage in stages if any(TARGET in text for text in stage.instructions)}
    found = {stage.name: stage.crates for stage in (last.stages if last else ()) if not stage.complete}
    return {name: crates for name, crates in found.items() if crates and crates[0] and name in keeping}


def _resumed(item: Outlook, crates: tuple[int, int] | None) -> Outlook:
    """Return an outlook without the crates that are compiled already."""
    if not item.work or crates is None:
        return item
    done, of = crates
    return replace(item, seconds=item.seconds * (of - done) / of)


def _finish(target: str, machine: Machine, builds: Sequence[record.Build], table: Shipped) -> float:
    """Return the seconds in which an image is exported and verified: those of the last time that it was made anew."""
    for build in builds:
        made = any(stage.name == target and not stage.cached for stage in build.stages)
        if build.state == record.FINISHED and made:
            own = [item for item in build.activities if item.target == target and item.name in (EXPORT, VERIFY)]
            return sum(item.ended - item.started for item in own)
    figure = table.of(target, machine.base, machine.accel)
    return figure.finish if figure else 0.0
