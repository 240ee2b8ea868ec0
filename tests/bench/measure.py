"""Timing two things in turn, A B A B, so that a machine whose speed drifts treats both alike."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table. `ratio` is the median of the ratios run by run; 0 where nothing is compared."""

    what: str
    found: str
    beside: str = ""
    ratio: float = 0.0


def seconds(action: Callable[[], object]) -> float:
    """Return how long an action takes, in seconds."""
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


def pair(what: str, ours: Callable[[], float], theirs: Callable[[], float], *, runs: int) -> Row:
    """Measure two sides in turn, after a run of each that does not count."""
    ours(), theirs()
    found = [(ours(), theirs()) for _ in range(runs)]
    mine, other = (statistics.median(side) for side in zip(*found, strict=True))
    ratio = statistics.median(first / second for first, second in found)
    return Row(what=what, found=f"{mine:.3f} s", beside=f"{other:.3f} s", ratio=round(ratio, 3))


def table(rows: list[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| what | measured | beside it | ratio |", "| --- | --- | --- | --- |"]
    lines += [f"| {row.what} | {row.found} | {row.beside} | {row.ratio or ''} |" for row in rows]
    return "\n".join(lines)
