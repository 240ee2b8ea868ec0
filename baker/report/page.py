"""A report as one HTML page that needs nothing besides: no script, no file, no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baker.bench import table
from baker.bench.startup.result import BAKED, SCENARIOS, WAYS, median, ratios
from baker.report import templates
from baker.report.drawing import mark

if TYPE_CHECKING:
    from baker.bench.startup.result import Result
    from baker.report.contents import Contents


def draw(found: Contents) -> str:
    """Return the page."""
    line = found.timeline
    return templates.render(
        "report.html.j2",
        benches=[(bench, _rows(bench)) for bench in found.benches],
        build=found.build,
        found=found,
        line=line,
        mark=mark,
        rest=found.unpacked - sum(layer.size for layer in found.large),
        scale=100 / (line.seconds or 1.0),
        ways=WAYS,
    )


def _rows(bench: Result) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the scenarios of a benchmark: each with its (time, times as long as the baked image) by way."""
    rows = []
    for scenario in SCENARIOS:
        cells = []
        for way in WAYS:
            items = bench.of(way, scenario)
            taken = median(items)
            text = "" if not items else table.NEVER if taken is None else table.seconds(taken)
            times = ratios(bench, way, scenario) if way != BAKED else ()
            cells.append((text, f"{sorted(times)[len(times) // 2]:.2g}" if times else ""))
        if any(text for text, _ in cells):
            rows.append((table.title(bench, scenario), cells))
    return rows
