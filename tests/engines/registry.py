"""A registry on this machine without TLS and login: Debian's, unpacked and installed nowhere."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.engines import suites

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = """\
version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: {folder}/registry}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""
PATIENCE = 30


@contextmanager
def running(folder: Path, suite: str = "trixie") -> Iterator[int]:
    """Run a registry whose files are in a folder, and yield its port on 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    suites.wrap(suite, "docker-registry", folder / "docker-registry")
    (folder / "registry.yml").write_text(CONFIG.format(folder=folder, port=port))
    argv = [str(folder / "docker-registry"), "serve", str(folder / "registry.yml")]
    with (folder / "registry.log").open("wb") as log, subprocess.Popen(argv, stdout=log, stderr=log) as process:
        try:
            give_up = time.monotonic() + PATIENCE
            while not _answers(port):
                assert time.monotonic() < give_up, (folder / "registry.log").read_text()
                time.sleep(0.1)
            yield port
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/", timeout=1).close()
    except OSError:
        return False
    return True
