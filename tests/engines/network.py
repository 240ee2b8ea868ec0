"""The network of an engine, and a run of the tests in it: they reach all that containers reach, and are reached."""

from __future__ import annotations

import ctypes
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# https://man7.org/linux/man-pages/man2/setns.2.html; Python has them in os since 3.12.
CLONE_NEWNET, CLONE_NEWNS = 0x40000000, 0x00020000
RESOLVER = Path("/etc/resolv.conf")
# systemd-resolved answers on 127.0.0.53 of the machine alone; here it writes whom it asks itself.
SERVERS = Path("/run/systemd/resolve/resolv.conf")


@contextmanager
def entered(network: Path) -> Iterator[None]:
    """Put this thread, and the threads and programs that it starts, into a network for a block.

    Args:
        network: the file of a network namespace.
    """
    if local(RESOLVER):
        _call("unshare", CLONE_NEWNS)
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        subprocess.run(["mount", "--bind", SERVERS, RESOLVER], check=True)
    with Path("/proc/thread-self/ns/net").open() as before:
        with network.open() as there:
            _call("setns", there.fileno(), CLONE_NEWNET)
        try:
            yield
        finally:
            _call("setns", before.fileno(), CLONE_NEWNET)


def local(resolver: Path) -> bool:
    """Whether names are asked of a server that only the machine's own network has."""
    lines = [line.split() for line in resolver.read_text().splitlines()]
    servers = [words[1] for words in lines if words[:1] == ["nameserver"]]
    return bool(servers) and all(server.startswith("127.") or server == "::1" for server in servers)


def _call(name: str, *arguments: int) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments):
        raise OSError(ctypes.get_errno(), name)
