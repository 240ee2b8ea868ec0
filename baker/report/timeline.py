"""The time line of a build: a lane for each stage and for what happens beside them, and the critical path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker.build.recorder import EXPORT, READ, ROOT, VERIFY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from baker.build.record import Activity, Build, Stage

# Steps that are no further apart are drawn as one.
GAP = 0.5
STAGE = "stage"
# What an axis may be divided by: seconds, then minutes.
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
MOST_TICKS = 8


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One line of the time line.

    Attributes:
        name: of the stage, or what happened, as "export tts".
        kind: stage, export, read, verify or root image.
        spans: when it ran, from start to end in seconds since the build's start; none when it came from the cache.
        critical: whether the build waited for it.
        downloaded: bytes.
        complete: whether it came to its end.
    """

    name: str
    kind: str
    spans: tuple[tuple[float, float], ...]
    critical: bool
    downloaded: int = 0
    complete: bool = True

    @property
    def seconds(self) -> float:
        """The seconds in which it ran."""
        return sum(end - start for start, end in self.spans)

    @property
    def start(self) -> float:
        """When it began."""
        return self.spans[0][0]

    @property
    def end(self) -> float:
        """When it ended."""
        return self.spans[-1][1]


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """Lanes that ran, by their start; the names of what came from the cache; the seconds of the whole."""

    lanes: tuple[Lane, ...]
    cached: tuple[str, ...]
    seconds: float

    @property
    def critical(self) -> tuple[Lane, ...]:
        """The lanes that the build waited for, one after the other."""
        return tuple(sorted((lane for lane in self.lanes if lane.critical), key=lambda lane: lane.end))

    def ticks(self) -> tuple[float, ...]:
        """Return where the axis has its marks, in seconds."""
        step = next((step for step in STEPS if self.seconds / step <= MOST_TICKS), STEPS[-1])
        return tuple(float(at * step) for at in range(int(self.seconds // step) + 1))


def read(build: Build) -> Timeline:
    """Return the time line of a build."""
    waited = critical(build)
    lanes = [
        Lane(
            name=stage.name,
            kind=STAGE,
            spans=_joined([(step.started, step.ended) for step in stage.steps]),
            critical=stage.name in waited,
            downloaded=stage.downloaded,
            complete=stage.complete,
        )
        for stage in build.stages
        if stage.steps
    ]
    lanes += [
        Lane(
            name=title(item),
            kind=item.name,
            spans=((item.started, item.ended),),
            critical=title(item) in waited,
        )
        for item in build.activities
    ]
    return Timeline(
        lanes=tuple(sorted(lanes, key=lambda lane: (lane.start, lane.end))),
        cached=tuple(stage.name for stage in build.stages if stage.cached and not stage.steps),
        seconds=max([build.seconds, *(lane.end for lane in lanes)]),
    )


def title(item: Activity) -> str:
    """Return what people call an activity, as "export tts"."""
    return f"{item.name} {item.target}".strip()


def critical(build: Build) -> frozenset[str]:
    """Return the names of the lanes that the build waited for: backwards, of each one what ended last before it."""
    stages = {stage.name: stage for stage in build.stages}
    ends = {name: max(step.ended for step in stage.steps) for name, stage in stages.items() if stage.steps}
    found = {title(item) for item in build.activities if item.name in (READ, ROOT, VERIFY)}
    exports = [item for item in build.activities if item.name == EXPORT]
    if exports:
        last = max(exports, key=lambda item: item.ended)
        found.add(title(last))
        name: str | None = last.target if last.target in ends else _latest(build.services, stages, ends)
    else:
        name = _latest(tuple(stages), stages, ends)
    while name is not None:
        found.add(name)
        name = _latest(stages[name].after, stages, ends)
    return frozenset(found)


def _latest(names: Sequence[str], stages: Mapping[str, Stage], ends: Mapping[str, float]) -> str | None:
    """Return which of some stages, or of those behind the ones that came from the cache, ended last."""
    ran = {name for start in names for name in _ran(start, stages, ends)}
    return max(ran, key=lambda name: (ends[name], name)) if ran else None


def _ran(name: str, stages: Mapping[str, Stage], ends: Mapping[str, float]) -> Iterator[str]:
    if name in ends:
        yield name
    elif name in stages:
        for before in stages[name].after:
            yield from _ran(before, stages, ends)


def _joined(spans: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Return spans by their start, those as one that follow each other at once."""
    found: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1] + GAP:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)
