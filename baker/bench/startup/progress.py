"""What is going on, for a terminal and for a log."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.status import Status

    from baker.bench.startup.result import Measurement

QUIET_SECONDS = 15.0
WIDTH = 120


class Progress:
    """Prints a line for each measurement; what is running is one changing line, in a log a line now and then."""

    def __init__(self, console: Console, status: Status | None) -> None:
        self._console, self._status = console, status
        self._task, self._spoke = "", 0.0

    def begin(self, task: str) -> None:
        """Say what begins."""
        self._task, self._spoke = task, time.monotonic()
        self._show(task)

    def say(self, line: str) -> None:
        """Say what the running task prints; without a terminal, now and then."""
        text = f"{self._task}: {line.strip()}"[:WIDTH]
        if self._status is not None:
            self._show(text)
        elif time.monotonic() - self._spoke > QUIET_SECONDS:
            self._spoke = time.monotonic()
            self._show(text)

    def measured(self, item: Measurement) -> None:
        """Print a measurement."""
        took = "never" if item.seconds is None else f"{item.seconds:.2f} s"
        more = [f"after a build of {item.build:.2f} s"] if item.build else []
        more += [f"{item.compiled} crates compiled"] if item.compiled else []
        more += [f"the same as {item.same_as}"] if item.same_as else []
        line = ", ".join([f"{item.way} {item.scenario} {item.run}: {took}", *more])
        self._console.print(line, highlight=False, markup=False)

    def _show(self, text: str) -> None:
        if self._status is None:
            self._console.print(f"  … {text}", highlight=False, markup=False)
        else:
            self._status.update(text.replace("[", r"\["))


@contextmanager
def shown(console: Console) -> Iterator[Progress]:
    """Show progress while a block runs."""
    if not console.is_terminal:
        yield Progress(console, None)
        return
    with console.status("starting") as status:
        yield Progress(console, status)
