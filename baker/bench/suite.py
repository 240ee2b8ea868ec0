"""All that can be measured, by name, and where the result goes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from baker.bench import page, table
from baker.bench.images import timing
from baker.bench.images.image import sizes, start
from baker.bench.images.rebuild import help_page, rebuild
from baker.bench.startup import ways
from baker.bench.startup.quick import Quick
from baker.bench.startup.result import SCENARIOS, WAYS
from baker.bench.startup.speech import Speech
from baker.config.settings import one_of
from baker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from baker.bench.images.timing import Row
    from baker.bench.startup.progress import Progress
    from baker.bench.startup.result import Result
    from baker.bench.startup.ways import Wish
    from baker.build.request import Request
    from baker.engine.client import Docker

THREE_WAYS = "ways"
OTHERS: dict[str, Callable[[Request, Docker, int], Iterator[Row]]] = {
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

    @property
    def any(self) -> bool:
        """Whether anything was measured."""
        return bool(self.rows) or (self.ways is not None and bool(self.ways.measurements))

    def plain(self) -> dict[str, Any]:
        """Return it as what JSON has."""
        return asdict(self)

    def markdown(self) -> str:
        """Return it as Markdown."""
        parts = ([table.ways(self.ways)] if self.ways else []) + ([timing.table(self.rows)] if self.rows else [])
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


class Measuring:
    """What has been measured so far: `found` grows with each measurement, and stays when a later one fails."""

    def __init__(self) -> None:
        self.found = Found(ways=None, rows=())

    def run(
        self, request: Request, what: Sequence[str], wished: Wish, engine: Docker, progress: Progress, *, quick: bool
    ) -> None:
        """Measure what is named.

        Raises:
            UsageError: there is no such measurement.
        """
        for name in what:
            one_of(name, (THREE_WAYS, *OTHERS), "baker bench")
        if quick and set(what) - {THREE_WAYS}:
            raise UsageError("--quick is a form of the three ways: leave the other names out")
        if THREE_WAYS in what or not what:
            subject = Quick() if quick else Speech(request)
            self._ways(ways.measure(subject, request, wished, engine, progress, seen=self._ways))
        for name, lines in OTHERS.items():
            if name in what:
                progress.begin(name)
                for row in lines(request, engine, wished.runs):
                    self.found = replace(self.found, rows=(*self.found.rows, row))

    def _ways(self, result: Result) -> None:
        self.found = replace(self.found, ways=result)


def write(found: Found, command: str, folder: Path) -> tuple[Path, ...]:
    """Write what was measured into a folder of documentation, and return the files."""
    files: list[Path] = []
    if found.ways:
        files += page.write_ways(found.ways, command, folder)
    if found.rows:
        files.append(page.insert("images", f"`{command}` made this.\n\n{timing.table(found.rows)}", folder))
    return tuple(dict.fromkeys(files))
