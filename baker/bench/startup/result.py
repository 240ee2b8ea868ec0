"""What the three ways took, kept in a file that grows with each measurement."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from baker.errors import UsageError
from baker.system import files

if TYPE_CHECKING:
    from pathlib import Path

UPSTREAM, VOLUMES, BAKED = WAYS = ("upstream", "volumes", "baked")
FIRST, RESTART, CONFIG, OFFLINE, UPGRADE = SCENARIOS = ("first", "restart", "config", "offline", "upgrade")


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One start: a way, a scenario, a run.

    Attributes:
        seconds: from `docker compose up` to the word; None when the container ended without one.
        build: seconds of the `baker build` before it.
        fresh: whether that build compiled the binary, and did not take it from BuildKit's cache.
        compiled: how many crates cargo compiled after `up`, by the container's log.
        downloaded: bytes that went over the container's network; None where they cannot be counted.
        said: the last line of the log, where no word came.
        log: the file of the container's log.
        same_as: the scenario that this was measured as: the same work, since nothing of it is kept.
    """

    way: str
    scenario: str
    run: int
    seconds: float | None
    build: float = 0.0
    fresh: bool = False
    compiled: int = 0
    downloaded: int | None = None
    said: str = ""
    log: str = ""
    same_as: str = ""


@dataclass(frozen=True, kw_only=True)
class Weight:
    """Bytes of a way: its image unpacked and through gzip, its volumes after a first start."""

    way: str
    image: int
    packed: int
    volumes: int


@dataclass(frozen=True, kw_only=True)
class Result:
    """Everything that was measured in one form, quick or real; what comes before the weights says what and where."""

    form: str
    base: str
    accel: str
    crate: str
    previous: str
    pinned: str
    machine: str
    measurements: tuple[Measurement, ...] = ()
    weights: tuple[Weight, ...] = ()

    def of(self, way: str, scenario: str) -> tuple[Measurement, ...]:
        """Return the measurements of a way in a scenario, by run."""
        found = [item for item in self.measurements if (item.way, item.scenario) == (way, scenario)]
        return tuple(sorted(found, key=lambda item: item.run))

    def weight(self, way: str) -> Weight | None:
        """Return a way's weight, where it was measured."""
        return next((item for item in self.weights if item.way == way), None)

    def has(self, way: str, scenario: str, run: int) -> bool:
        """Whether a start is measured already."""
        return any(item.run == run for item in self.of(way, scenario))

    def plus(self, *more: Measurement) -> Result:
        """Return the result with more measurements; one of the same start is replaced."""
        new = {(item.way, item.scenario, item.run) for item in more}
        kept = [item for item in self.measurements if (item.way, item.scenario, item.run) not in new]
        return replace(self, measurements=(*kept, *more))

    def weighed(self, weight: Weight) -> Result:
        """Return the result with a way's weight."""
        return replace(self, weights=(*(item for item in self.weights if item.way != weight.way), weight))


def whole(item: Measurement) -> float | None:
    """Return the seconds that somebody waits: after a change of its config a baked image is built first.

    A crate's upgrade is built while the old container serves, so that only the start counts.
    """
    if item.seconds is None:
        return None
    return item.seconds + (item.build if item.scenario == CONFIG else 0.0)


def median(items: tuple[Measurement, ...]) -> float | None:
    """Return the median of what was waited for; None where a start failed, or none was measured."""
    found = [whole(item) for item in items]
    known = [seconds for seconds in found if seconds is not None]
    return statistics.median(known) if known and len(known) == len(found) else None


def ratios(result: Result, way: str, scenario: str) -> tuple[float, ...]:
    """Return, run by run, how many times as long a way took as the baked image."""
    baked = {item.run: whole(item) for item in result.of(BAKED, scenario)}
    pairs = [(whole(item), baked.get(item.run)) for item in result.of(way, scenario)]
    return tuple(theirs / ours for theirs, ours in pairs if theirs is not None and ours)


def read(path: Path) -> Result | None:
    """Return what was measured so far; None where nothing was.

    Raises:
        UsageError: the file is none of this release's.
    """
    if not path.exists():
        return None
    try:
        return parse(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is no result of this release: leave --resume out, and it is written anew") from error


def parse(plain: dict[str, Any]) -> Result:
    """Return the result that JSON was made from. Raises TypeError or KeyError where it is none."""
    measurements = tuple(Measurement(**item) for item in plain["measurements"])
    weights = tuple(Weight(**item) for item in plain["weights"])
    return Result(**{**plain, "measurements": measurements, "weights": weights})


def write(result: Result, path: Path) -> None:
    """Write a result over the last one, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomically(path, json.dumps(asdict(result), indent=2) + "\n")
