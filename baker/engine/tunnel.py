"""A way to an engine on another machine: a socket here, behind which docker's own command line connects.

`docker system dial-stdio` knows contexts, ssh and TLS as the user has set them up; the SDK needs a socket.
"""

from __future__ import annotations

import socket
import tempfile
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from baker.system import process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from baker.system.process import Process

DIAL = ("docker", "system", "dial-stdio")


@contextmanager
def through_cli(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the address of a socket that leads to the engine of the docker command line's current context."""
    with tempfile.TemporaryDirectory(prefix="baker-dial-") as folder, socket.socket(socket.AF_UNIX) as listener:
        path = Path(folder, "docker.sock")
        listener.bind(str(path))
        listener.listen()
        dialled: list[Process] = []
        thread = threading.Thread(target=_serve, args=(listener, dialled, environment), daemon=True)
        thread.start()
        try:
            yield f"unix://{path}"
        finally:
            # Wakes the thread up: closing alone does not.
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for child in dialled:
                process.end(child)


def _serve(listener: socket.socket, dialled: list[Process], environment: Mapping[str, str]) -> None:
    """Let docker connect for each connection that comes, until the listener is shut."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            dialled.append(process.attach(DIAL, connection, environment))
