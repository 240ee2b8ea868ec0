"""Unit tests start no process and open no connection; whatever does fails where it does so."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# https://docs.python.org/3/library/audit_events.html
FORBIDDEN = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.system",
        "pty.spawn",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.sendto",
        "subprocess.Popen",
    }
)


class _Guard:
    """An audit hook, which catches every way to a process or a peer and cannot be taken back, only switched off."""

    on = False

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if self.on and event in FORBIDDEN:
            # Not an Exception: code that handles errors must not handle this one.
            pytest.fail(f"a unit test must not do this: {event}{args!r}; it belongs in tests/docker")


_guard = _Guard()
sys.addaudithook(_guard)


@pytest.fixture(autouse=True)
def no_process_and_no_network() -> Iterator[None]:
    _guard.on = True
    yield
    _guard.on = False
