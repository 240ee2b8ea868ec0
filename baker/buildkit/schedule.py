"""How long a build takes and what is left of it: the longest chain of stages that wait for each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from baker.buildkit.progress import Stage

# A stage that takes longer than expected is expected to take this share of its time more.
OVERTIME = 0.1


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """What is expected of a build.

    Attributes:
        seconds: of each stage that has to be made, where they are known; in the Dockerfile's order.
        after: the stages that each stage of the Dockerfile waits for.
        unknown: the stages that have to be made and of which nobody knows how long they take.
        finish: the seconds of what follows the last stage: the images are exported and verified.
    """

    seconds: Mapping[str, float] = field(default_factory=dict)
    after: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    finish: float = 0.0

    @property
    def total(self) -> float:
        """The seconds of the whole build, as far as they are known."""
        return longest(self.seconds, self.after)[0] + self.finish

    def left(self, stages: Mapping[str, Stage], now: float) -> Left:
        """Return what is left of a build, by how far its stages have come; `now` is in seconds since 1970."""
        rest: dict[str, float] = {}
        unknown = False
        for name in (*self.seconds, *sorted(self.unknown)):
            stage = stages.get(name)
            if stage is not None and stage.complete:
                continue
            expected = self.seconds.get(name)
            ran = stage.elapsed(now) if stage is not None else 0.0
            if expected is None and stage is not None and stage.crates and stage.crates[0]:
                done, of = stage.crates
                rest[name] = ran * (of - done) / done
            elif expected is None:
                unknown = True
            else:
                rest[name] = max(expected - ran, OVERTIME * ran)
        return Left(seconds=longest(rest, self.after)[0] + self.finish, unknown=unknown)


@dataclass(frozen=True, kw_only=True)
class Left:
    """What is left of a build; with `unknown`, it takes longer by what nobody knows."""

    seconds: float
    unknown: bool


def longest(seconds: Mapping[str, float], after: Mapping[str, Sequence[str]]) -> tuple[float, tuple[str, ...]]:
    """Return the seconds and the stages of the longest chain.

    Args:
        seconds: of each stage; one that is missing takes none.
        after: the stages that each stage waits for; there are no circles among them.
    """
    found: dict[str, tuple[float, tuple[str, ...]]] = {}

    def end(name: str) -> tuple[float, tuple[str, ...]]:
        if name not in found:
            before = max((end(other) for other in after.get(name, ())), default=(0.0, ()))
            own = seconds.get(name, 0.0)
            found[name] = (before[0] + own, (*before[1], name) if own else before[1])
        return found[name]

    return max((end(name) for name in seconds), default=(0.0, ()))
