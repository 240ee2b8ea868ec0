"""An engine's BuildKit as a buildkitd: what buildx's remote driver, and so any BuildKit by hand, is spoken to like.

The engine has its BuildKit behind an HTTP upgrade; the remote driver speaks to a socket without one.
"""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UPGRADE = b"POST /grpc HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"


@contextmanager
def buildkit(host: str, folder: Path) -> Iterator[str]:
    """Yield the address of a socket that leads to the BuildKit of an engine, whose address is as for DOCKER_HOST."""
    path = folder / "buildkitd.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        threading.Thread(target=_serve, args=(listener, host.removeprefix("unix://")), daemon=True).start()
        yield f"unix://{path}"
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, engine: str) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_lead, args=(client, engine), daemon=True).start()


def _lead(client: socket.socket, engine: str) -> None:
    """Lead one connection to the engine's BuildKit until both sides have ended it."""
    with client, socket.socket(socket.AF_UNIX) as there:
        there.connect(engine)
        there.sendall(UPGRADE)
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += there.recv(1)
        back = threading.Thread(target=_copy, args=(there, client), daemon=True)
        back.start()
        _copy(client, there)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
