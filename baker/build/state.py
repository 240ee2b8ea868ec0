"""The lock of a project's state: one build at a time writes there, and whoever waits is told for whom."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NAME = "lock"


@contextmanager
def held(state: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of a state folder while the block runs; wait for another process that holds it, and say so."""
    state.mkdir(parents=True, exist_ok=True)
    # Not truncated: it says who holds it.
    with (state / NAME).open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            say(f"waiting: {lock.read().strip() or 'another baker'} builds in {state}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        lock.truncate()
        lock.write(f"process {os.getpid()}\n")
        lock.flush()
        yield
