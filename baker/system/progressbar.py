"""Progress in bytes, for a terminal and for a log."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rich import filesize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.progress import Progress


class Bar(Protocol):
    """Progress in bytes."""

    def start(self, text: str, total: int) -> None:
        """Begin a piece of work."""
        ...

    def advance(self, count: int) -> None:
        """Count bytes; a negative number takes some back."""
        ...


@contextmanager
def progress(console: Console) -> Iterator[Bar]:
    """Show a bar while a block runs; without a terminal, one line for each piece of work."""
    from rich import progress as rich  # noqa: PLC0415

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.DownloadColumn(),
        rich.TransferSpeedColumn(),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        yield _Shown(shown, console)


class _Shown:
    def __init__(self, shown: Progress, console: Console) -> None:
        self._shown, self._console = shown, console
        self._task = shown.add_task("", total=0)

    def start(self, text: str, total: int) -> None:
        self._shown.reset(self._task, description=text, total=total)
        if total and not self._console.is_terminal:
            self._console.print(f"{text}: {filesize.decimal(total)}", highlight=False)

    def advance(self, count: int) -> None:
        self._shown.advance(self._task, count)
