"""A report as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.filesize import decimal

from baker.bench import table
from baker.build import record
from baker.system.units import duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from baker.report.contents import Contents, Layer, Size
    from baker.report.timeline import Lane

WIDTH = 40


def draw(found: Contents) -> str:
    """Return the text."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Contents) -> Iterator[str]:
    build, line = found.build, found.timeline
    yield (
        f"Build of {', '.join(build.services)}, {build.begun:%Y-%m-%d %H:%M} UTC: {build.state} after "
        f"{duration(build.seconds)}"
    )
    cores = f", {build.cores} cores" if build.cores else ""
    yield f"base {build.base}, accel {build.accel}, {build.platform}, {build.engine}{cores}"
    yield from build.error.splitlines()
    yield from _section("Time line (* critical path)", (_bar(lane, line.seconds) for lane in line.lanes))
    yield from _section("From the cache", line.cached)
    yield from _section("Layers, largest first", _layers(found))
    yield from _section("Images of the last builds", _history(found))
    yield from _section(
        f"Downloads, {decimal(build.downloaded)}",
        (f"{decimal(stage.downloaded):>10}  {stage.name}" for stage in found.downloads),
    )
    for image in build.images:
        yield from _section(
            f"Checks of {image.name}",
            (
                f"{'skipped' if check.skipped else 'ok' if check.passed else 'FAILED':<8} {check.name}: {check.detail}"
                for check in image.checks
            ),
        )
    yield from _section("Warnings", build.warnings)
    for bench in found.benches:
        what = f"{bench.crate} {bench.pinned}, base {bench.base}, accel {bench.accel}, {bench.machine}"
        yield from _section(f"From up to the word: {what}", (table.times(bench),))


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    """Yield a title and its lines; nothing where there are none."""
    found = list(lines)
    if found:
        yield from ("", title, "-" * len(title), *found)


def _bar(lane: Lane, whole: float) -> str:
    """Return a lane as a line of characters."""
    scale = WIDTH / (whole or 1.0)
    drawn = [" "] * WIDTH
    for start, end in lane.spans:
        first = min(int(start * scale), WIDTH - 1)
        for at in range(first, max(first + 1, min(round(end * scale), WIDTH))):
            drawn[at] = "█"
    state = "" if lane.complete else "  not finished"
    return f"{'*' if lane.critical else ' '} {lane.name:<32} {''.join(drawn)} {duration(lane.seconds):>12}{state}"


def _layers(found: Contents) -> Iterator[str]:
    for layer in found.large:
        new = "new" if layer.new else ""
        yield f"{decimal(layer.size):>10}  {', '.join(layer.images):<12} {new:<3}  {_made(layer)}"
    if found.layers:
        shared = sum(layer.size for layer in found.layers if layer.shared)
        yield f"{decimal(found.unpacked):>10}  in {len(found.layers)} layers, {decimal(shared)} of it in several images"


def _made(layer: Layer) -> str:
    words = " ".join(layer.made_by.split())
    return words if len(words) <= 2 * WIDTH else words[: 2 * WIDTH - 1] + "…"


def _history(found: Contents) -> Iterator[str]:
    for build, sizes in found.history:
        state = "" if build.state == record.FINISHED else f"  {build.state}"
        yield f"{build.begun:%Y-%m-%d %H:%M}  {', '.join(_size(size) for size in sizes)}{state}"


def _size(size: Size) -> str:
    change = size.size - size.before if size.before else 0
    return f"{size.service} {decimal(size.size)}{f' ({_signed(change)})' if change else ''}"


def _signed(change: int) -> str:
    return f"{'+' if change > 0 else '-'}{decimal(abs(change))}"
