"""The time line as a picture: SVG with colours of its own, for light and dark pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker.report import templates
from baker.system.units import duration, rounded

if TYPE_CHECKING:
    from baker.report.contents import Contents
    from baker.report.timeline import Lane

WIDTH, LEFT, RIGHT, TOP = 860, 250, 110, 92
LANE, BAR, BOTTOM = 24, 12, 40
# A step of a moment stays visible.
LEAST = 2.0


@dataclass(frozen=True, kw_only=True)
class Row:
    """A lane in pixels: its name, the middle of its line, (x, width) of each bar, and the text behind them."""

    lane: Lane
    y: float
    bars: tuple[tuple[float, float], ...]
    text: str


def draw(found: Contents) -> str:
    """Return the picture as SVG."""
    line = found.timeline
    scale = (WIDTH - LEFT - RIGHT) / (line.seconds or 1.0)

    def x(seconds: float) -> float:
        return round(LEFT + seconds * scale, 1)

    rows = tuple(
        Row(
            lane=lane,
            y=TOP + LANE * (at + 0.5),
            bars=tuple((x(start), max(LEAST, round((end - start) * scale, 1))) for start, end in lane.spans),
            text=duration(lane.seconds),
        )
        for at, lane in enumerate(line.lanes)
    )
    bottom = TOP + LANE * len(rows)
    return templates.render(
        "timeline.svg.j2",
        bar=BAR,
        bottom=bottom,
        build=found.build,
        cached=line.cached,
        height=bottom + BOTTOM + (18 if line.cached else 0),
        left=LEFT,
        right=WIDTH - RIGHT,
        rows=rows,
        ticks=[(x(seconds), mark(seconds)) for seconds in line.ticks()],
        top=TOP,
        width=WIDTH,
    )


def mark(seconds: float) -> str:
    """Return what stands at a mark of the axis."""
    return "0" if not seconds else rounded(seconds) if seconds >= 60 else f"{seconds:g} s"  # noqa: PLR2004 - a minute
