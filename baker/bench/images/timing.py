"""Timing two things in turn, A B A B, so that a machine whose speed drifts treats both alike."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DIGITS = {"s": 3, "ms": 1, "GB": 3, "kB": 1}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table: a number, and what it is compared with, if it is.

    `found`, `beside` and `difference` are in `unit`. Of pairs that were timed, `found` and `beside` are medians,
    `ratio` and `difference` the medians of the rounds' own, and `range` the least and the greatest ratio of a round.
    """

    what: str
    unit: str
    found: float
    beside: float | None = None
    ratio: float | None = None
    range: tuple[float, float] | None = None
    difference: float | None = None
    target: str = ""
    note: str = ""


def seconds(action: Callable[[], object]) -> float:
    """Return how long an action takes, in seconds."""
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


def alternate(ours: Callable[[], float], theirs: Callable[[], float], runs: int) -> list[tuple[float, float]]:
    """Measure two sides in turn, after a run of each that does not count."""
    ours(), theirs()
    return [(ours(), theirs()) for _ in range(runs)]


def compared(what: str, rounds: Sequence[tuple[float, float]], *, unit: str = "s", target: str = "") -> Row:
    """Return the line for what `alternate` measured: ours, theirs, round by round."""
    ratios = [first / second for first, second in rounds]
    return Row(
        what=what,
        unit=unit,
        found=statistics.median(first for first, _ in rounds),
        beside=statistics.median(second for _, second in rounds),
        ratio=statistics.median(ratios),
        range=(min(ratios), max(ratios)),
        difference=statistics.median(first - second for first, second in rounds),
        target=target,
    )


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| what | measured | beside it | difference | ratio (range) | target | |", "| --- " * 7 + "|"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    if row.range is not None:
        ratio += " ({:.2f} to {:.2f})".format(*row.range)
    numbers = (_number(number, row.unit) for number in (row.found, row.beside, row.difference))
    return (row.what, *numbers, ratio, row.target, row.note)


def _number(number: float | None, unit: str) -> str:
    return "" if number is None else f"{number:.{DIGITS[unit]}f} {unit}"
