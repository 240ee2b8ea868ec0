"""The three ways as Markdown."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from rich.filesize import decimal

from baker.bench.startup.result import (
    BAKED,
    CONFIG,
    FIRST,
    OFFLINE,
    RESTART,
    SCENARIOS,
    UPGRADE,
    WAYS,
    Result,
    median,
    ratios,
    whole,
)
from baker.system.units import duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from baker.bench.startup.result import Measurement

TITLES = {
    FIRST: "first start, empty volumes",
    RESTART: "restart",
    CONFIG: "restart with another config",
    OFFLINE: "restart without network",
    UPGRADE: "upgrade, {previous} to {pinned}",
}
FEW_SECONDS = 10.0
NEVER, UNKNOWN = "never", "?"


def title(result: Result, scenario: str) -> str:
    """Return what a scenario is called."""
    return TITLES[scenario].format(previous=result.previous, pinned=result.pinned)


def short(scenario: str) -> str:
    """Return what a scenario is called in a sentence."""
    return TITLES[scenario].partition(",")[0]


def ways(result: Result) -> str:
    """Return what was measured: times, how they came about, bytes."""
    what = f"{result.crate} {result.pinned}, base {result.base}, accel {result.accel}, {result.machine}"
    parts = [f"From `up` to the word, {what}:", times(result), *notes(result), "Bytes:", weights(result)]
    return "\n\n".join(part for part in parts if part)


def times(result: Result) -> str:
    """Return the table of times: medians, ranges, and how many times as long as the baked image."""
    rows = [("", *WAYS), ("---",) * (1 + len(WAYS))]
    rows += [
        (title(result, scenario), *(cell(result, way, scenario) for way in WAYS))
        for scenario in SCENARIOS
        if any(result.of(way, scenario) for way in WAYS)
    ]
    return _table(rows)


def cell(result: Result, way: str, scenario: str) -> str:
    """Return the cell of a way in a scenario; empty where it was not measured."""
    items = result.of(way, scenario)
    if not items:
        return ""
    taken = median(items)
    if taken is None:
        return NEVER if all(item.seconds is None for item in items) else f"{NEVER}, in some runs"
    words = [f"{seconds(taken)}{_range(items)}"]
    if found := ratios(result, way, scenario):
        words += [] if way == BAKED else [f"**{_times(found)}×**"]  # noqa: RUF001 - the sign of multiplication is meant
    if any(item.same_as for item in items):
        words.append("the same as the first start")
    return ", ".join(words)


def notes(result: Result) -> tuple[str, ...]:
    """Return what the times do not say by themselves, as one list."""
    lines = [*_runs(result), *_compiled(result), *_builds(result), *_failures(result)]
    return ("\n".join(f"- {line}" for line in lines),) if lines else ()


def weights(result: Result) -> str:
    """Return the table of bytes."""
    rows = [("", *WAYS), ("---",) * (1 + len(WAYS))]
    found = {way: result.weight(way) for way in WAYS}
    rows.append(("image, unpacked", *(decimal(item.image) if item else "" for item in found.values())))
    rows.append(("image, through gzip", *(decimal(item.packed) if item else "" for item in found.values())))
    rows.append(("volumes after the first start", *(decimal(item.volumes) if item else "" for item in found.values())))
    for scenario in (FIRST, RESTART, UPGRADE):
        name = f"over the network, {title(result, scenario)}"
        rows.append((name, *(_bytes(downloaded(result, way, scenario)) for way in WAYS)))
    second = []
    for way in WAYS:
        item, start = found[way], downloaded(result, way, FIRST)
        second.append("" if item is None else _bytes(None if start is None else item.packed + start))
    rows.append(("**a second machine downloads**, image and first start", *second))
    return _table(rows)


def downloaded(result: Result, way: str, scenario: str) -> int | None:
    """Return the median of what went over a container's network; None where it was not counted."""
    found = [item.downloaded for item in result.of(way, scenario) if item.downloaded is not None]
    return statistics.median_low(found) if found else None


def seconds(taken: float) -> str:
    """Return seconds with as many digits as mean something."""
    return f"{taken:.2f} s" if taken < FEW_SECONDS else duration(taken)


def _range(items: Sequence[Measurement]) -> str:
    found = [taken for taken in (whole(item) for item in items) if taken is not None]
    return f" ({seconds(min(found))} to {seconds(max(found))})" if len(found) > 1 else ""


def _times(found: Sequence[float]) -> str:
    middle = statistics.median(found)
    return f"{middle:.0f}" if middle >= FEW_SECONDS else f"{middle:.2g}"


def _bytes(size: int | None) -> str:
    return UNKNOWN if size is None else decimal(size)


def _runs(result: Result) -> Iterator[str]:
    counts = [len(result.of(way, name)) for way in WAYS for name in SCENARIOS if result.of(way, name)]
    if counts:
        least, most = min(counts), max(counts)
        count = f"{least}" if least == most else f"{least} to {most}"
        yield f"Runs of each start: {count}. Medians, least and most in brackets; bold is how many times baked's."


def _compiled(result: Result) -> Iterator[str]:
    for way in WAYS:
        measured = [name for name in SCENARIOS if any(not item.same_as for item in result.of(way, name))]
        found = {name: max(item.compiled for item in result.of(way, name)) for name in measured}
        some = ", ".join(f"{short(name)} {count}" for name, count in found.items() if count)
        if measured:
            yield f"Crates that cargo compiled after `up`, {way}: {some or 'none'}."


def _builds(result: Result) -> Iterator[str]:
    config = [item.build for item in result.of(BAKED, CONFIG) if item.build]
    if config:
        took = seconds(statistics.median(config))
        yield f"{short(CONFIG).capitalize()}, baked: `baker build` took {took} before it, which is counted."
    upgrade = [item for item in result.of(BAKED, UPGRADE) if item.build]
    fresh = [item for item in upgrade if item.fresh]
    if upgrade:
        took = seconds(statistics.median(item.build for item in fresh or upgrade))
        how = f"and compiled, in {len(fresh)} of {len(upgrade)} runs" if fresh else "from BuildKit's cache"
        more = "; the others took it from BuildKit's cache" if fresh and len(fresh) < len(upgrade) else ""
        yield (
            f"{short(UPGRADE).capitalize()}, baked: `baker build` took {took} before it, {how}{more}. "
            "It is not counted: the old container serves meanwhile."
        )


def _failures(result: Result) -> Iterator[str]:
    for way in WAYS:
        for scenario in SCENARIOS:
            for item in result.of(way, scenario)[:1]:
                if item.seconds is None:
                    yield f"{short(scenario).capitalize()}, {way}: the container ended with `` {item.said} ``"


def _table(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
