"""How a build is shown: a line for each stage that ends and, on a terminal, one for what is running."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from baker.system.units import duration, rounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from baker.buildkit.progress import Progress, Stage
    from baker.buildkit.schedule import Schedule

QUIET_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Screen:
    """Where a build is shown.

    Attributes:
        console: the console.
        label: stands before each line where several builds print to one console.
        schedule: what is expected of the build; None shows no remaining time.
    """

    console: Console
    label: str = ""
    schedule: Schedule | None = None

    @contextmanager
    def shown(self, progress: Progress) -> Iterator[Show]:
        """Show a build while the block lasts; what is left is printed at its end."""
        show = Show(self)
        try:
            with show.live():
                yield show
        finally:
            show.rest(progress)


class Show:
    """Prints a line as each stage ends; on a terminal, one for what is running stays below unless others print too."""

    def __init__(self, screen: Screen) -> None:
        console, label = screen.console, screen.label
        self._console = console
        self._label = f"{label}: " if label else ""
        self._schedule = screen.schedule
        self._printed: set[str] = set()
        self._begun = self._spoke = time.monotonic()
        self._status = console.status("starting") if console.is_terminal and not label else None

    @contextmanager
    def live(self) -> Iterator[None]:
        """Keep the line for what is running on the terminal while the block lasts."""
        if self._status is None:
            yield
            return
        with self._status:
            yield

    def __call__(self, progress: Progress) -> None:
        """Show what has changed."""
        for stage in progress.stages.values():
            if stage.complete and stage.name not in self._printed and stage.name != "root":
                self._line(stage)
        running = _running(progress, bars=self._status is not None)
        if self._status is not None:
            self._status.update(_Live(lambda: f"{self._clock(progress)}: {running or 'waiting'}"))
        elif running and time.monotonic() - self._spoke > QUIET_SECONDS:
            self._console.print(f"  {self._label}… {self._clock(progress)}: {running}", highlight=False)
            self._spoke = time.monotonic()

    def rest(self, progress: Progress) -> None:
        """Flush what is left when the build has ended."""
        self(progress)
        sys.stdout.flush()

    def _line(self, stage: Stage) -> None:
        self._printed.add(stage.name)
        self._spoke = time.monotonic()
        what = "cached" if stage.from_cache else duration(stage.seconds)
        self._console.print(f"  {self._label}{stage.name:<36} {what:>12}", highlight=False)

    def _clock(self, progress: Progress) -> str:
        """Return "4 min 10 s, about 12 min left"."""
        elapsed = duration(round(time.monotonic() - self._begun))
        if self._schedule is None:
            return elapsed
        left = self._schedule.left(progress.stages, time.time())
        if not left.seconds:
            return elapsed
        return f"{elapsed}, {'at least' if left.unknown else 'about'} {rounded(left.seconds)} left"


@dataclass(frozen=True)
class _Live:
    """A text that rich asks for whenever it draws: the clock goes on while BuildKit says nothing."""

    text: Callable[[], str]

    def __rich__(self) -> Text:
        return Text(self.text())


def _running(progress: Progress, *, bars: bool) -> str:
    running = [stage for stage in progress.stages.values() if stage.started and not stage.complete]
    names = [f"{stage.name} {_crates(stage.crates, bar=bars)}".strip() for stage in running]
    if not names and progress.exporting:
        names.append(progress.exporting)
    return ", ".join(names)


def _crates(crates: tuple[int, int] | None, *, bar: bool) -> str:
    """Return "crate 120 of 345", on a terminal with a bar before it."""
    if crates is None:
        return ""
    done, total = crates
    filled = round(20 * done / total)
    drawn = f"{'█' * filled}{'░' * (20 - filled)} " if bar else ""
    return f"{drawn}crate {done} of {total}"
