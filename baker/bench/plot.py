"""The three ways as a picture: a dot for each median on a logarithmic axis, a line for its range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker.bench import table
from baker.bench.startup.result import SCENARIOS, WAYS, Result, median, whole
from baker.dockerfile import render

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH, LEFT, RIGHT, TOP = 860, 240, 150, 76
LANE, GAP, BOTTOM = 22, 18, 44


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A way in a scenario, in pixels; `x` is None where no word came."""

    way: str
    y: float
    x: float | None
    least: float
    most: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """A scenario: its title, the middle of its lanes, the dots in them."""

    title: str
    y: float
    dots: tuple[Dot, ...]


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A logarithmic axis from 10**low to 10**high seconds."""

    low: int
    high: int

    def x(self, seconds: float) -> float:
        """Return where some seconds are."""
        share = (math.log10(seconds) - self.low) / (self.high - self.low)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Return (x, text) of each power of ten."""
        powers = range(self.low, self.high + 1)
        return tuple((self.x(10.0**power), f"{10.0**power:g} s") for power in powers)


def draw(result: Result) -> str:
    """Return the picture as SVG."""
    axis, found = _axis(result), tuple(_groups(result))
    height = (found[-1].dots[-1].y if found else TOP) + LANE + BOTTOM
    return (
        render.templates()
        .get_template("bench/plot.svg.j2")
        .render(
            axis=axis,
            bottom=height - BOTTOM,
            edge=WIDTH - RIGHT,
            groups=found,
            height=height,
            left=LEFT,
            result=result,
            top=TOP,
            ways=WAYS,
            width=WIDTH,
        )
    )


def _axis(result: Result) -> Axis:
    found = [taken for item in result.measurements if (taken := whole(item))] or [1.0]
    low, high = math.floor(math.log10(min(found))), math.ceil(math.log10(max(found)))
    return Axis(low=low, high=max(high, low + 1))


def _groups(result: Result) -> Iterator[Group]:
    axis, y = _axis(result), float(TOP + LANE)
    for scenario in SCENARIOS:
        dots = []
        for way in WAYS:
            items = result.of(way, scenario)
            if not items:
                continue
            taken, found = median(items), [seconds for item in items if (seconds := whole(item)) is not None]
            text = table.NEVER if taken is None else table.seconds(taken)
            text += " *" if any(item.same_as for item in items) else ""
            at = None if taken is None else axis.x(taken)
            edges = (axis.x(min(found)), axis.x(max(found))) if found else (0.0, 0.0)
            dots.append(Dot(way=way, y=y, x=at, least=edges[0], most=edges[1], text=text))
            y += LANE
        if dots:
            middle = (dots[0].y + dots[-1].y) / 2
            yield Group(title=table.title(result, scenario), y=middle, dots=tuple(dots))
            y += GAP
