"""Trying again what failed for a reason that passes."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, TypeVar

from baker.errors import BakerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


def patiently(
    work: Callable[[], T],
    *,
    passes: Sequence[str],
    pauses: Sequence[float],
    say: Callable[[float], None],
    wait: Callable[[float], None] = time.sleep,
) -> T:
    """Do some work, and again after each pause for as long as it fails for a reason that passes.

    Args:
        work: what to do.
        passes: parts of the messages of errors that pass; any other BakerError is raised at once.
        pauses: seconds to wait before each further try. By chance, each becomes half to one and a half times as long,
            so that those who fail together do not try again together.
        say: is told the seconds before each pause.
        wait: waits for some seconds.

    Raises:
        BakerError: what `work` raised last.
    """
    for pause in pauses:
        try:
            return work()
        except BakerError as error:
            if not any(reason in str(error) for reason in passes):
                raise
        seconds = pause * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
        say(seconds)
        wait(seconds)
    return work()
