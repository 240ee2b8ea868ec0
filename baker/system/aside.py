"""Work in a thread beside this one."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def aside(work: Callable[[], T]) -> Future[T]:
    """Begin some work in a thread, and return what it will give, or raise.

    Nothing waits for it but who asks for the result: a program that ends before, by an error or Ctrl-C, ends it too.
    """
    given: Future[T] = Future()

    def run() -> None:
        try:
            given.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            given.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return given
