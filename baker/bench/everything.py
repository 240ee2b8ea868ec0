"""All that can be measured, by name, and where the result goes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from baker.bench import measure, page, table, ways
from baker.bench.images import sizes, start
from baker.bench.quick import Quick
from baker.bench.rebuild import help_page, rebuild
from baker.bench.result import SCENARIOS, WAYS
from baker.bench.speech import Speech
from baker.errors import UsageError
from baker.settings import one_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from baker.bench.measure import Row
    from baker.bench.progress import Progress
    from baker.bench.result import Result
    from baker.bench.ways import Wish
    from baker.prepare import Request
    from baker.project import Project

THREE_WAYS = "ways"
OTHERS: dict[str, Callable[[Project, int], Iterator[Row]]] = {
    "sizes": sizes,
    "help": help_page,
    "start": start,
    "rebuild": rebuild,
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was measured: the three ways, where they were asked for, and lines of the others."""

    ways: Result | None
    rows: tuple[Row, ...]

    def plain(self) -> dict[str, Any]:
        """Return it as what JSON has."""
        return asdict(self)

    def markdown(self) -> str:
        """Return it as Markdown."""
        parts = ([table.ways(self.ways)] if self.ways else []) + ([measure.table(self.rows)] if self.rows else [])
        return "\n\n".join(parts)


def wish(runs: int, chosen_ways: Sequence[str], scenarios: Sequence[str], *, shared: bool, resume: bool) -> Wish:
    """Return what is wished of the three ways; nothing named is everything.

    Raises:
        UsageError: there is no such way or scenario.
    """
    for name in chosen_ways:
        one_of(name, WAYS, "--way")
    for name in scenarios:
        one_of(name, SCENARIOS, "--only")
    return ways.Wish(
        runs=runs,
        ways=tuple(name for name in WAYS if name in (chosen_ways or WAYS)),
        scenarios=tuple(name for name in SCENARIOS if name in (scenarios or SCENARIOS)),
        shared=shared,
        resume=resume,
    )


def run(request: Request, what: Sequence[str], wished: Wish, progress: Progress, *, quick: bool) -> Found:
    """Measure what is named.

    Raises:
        UsageError: there is no such measurement.
    """
    for name in what:
        one_of(name, (THREE_WAYS, *OTHERS), "baker bench")
    if quick and set(what) - {THREE_WAYS}:
        raise UsageError("--quick is a form of the three ways: leave the other names out")
    found = None
    if THREE_WAYS in what or not what:
        found = ways.measure(Quick() if quick else Speech(request.project), request, wished, progress)
    rows: list[Row] = []
    for name, lines in OTHERS.items():
        if name in what:
            progress.begin(name)
            rows += lines(request.project, wished.runs)
    return Found(ways=found, rows=tuple(rows))


def write(found: Found, command: str, folder: Path) -> tuple[Path, ...]:
    """Write what was measured into a folder of documentation, and return the files."""
    files: list[Path] = []
    if found.ways:
        files += page.write_ways(found.ways, command, folder)
    if found.rows:
        files.append(page.insert("images", f"`{command}` made this.\n\n{measure.table(found.rows)}", folder))
    return tuple(dict.fromkeys(files))
