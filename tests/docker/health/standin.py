"""A container with the probe and a stand-in for moshi-server, whose loop lives, dies, stalls, or has no slot left."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

PROBE = "/opt/baker/bin/moshi-health"
KINDS = ("stt", "tts")


def docker(*argv: str) -> str:
    done = subprocess.run(["docker", *argv], check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"docker {' '.join(argv)}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Standin:
    """A running container with the stand-in and the probe."""

    name: str

    def probe(self, *options: str, patience: float = 1.5) -> tuple[int, str]:
        """Exit code and the one line of one probe."""
        argv = ["docker", "exec", self.name, PROBE, "--patience", str(patience), *options]
        done = subprocess.run(argv, check=False, capture_output=True, text=True)
        (line,) = done.stdout.splitlines()
        return done.returncode, line

    def listens(self) -> bool:
        code = "import socket; socket.create_connection(('127.0.0.1', 8080)).close()"
        argv = ["docker", "exec", self.name, "python3", "-c", code]
        return subprocess.run(argv, check=False, capture_output=True).returncode == 0

    def tell(self, shell: str) -> None:
        docker("exec", self.name, "sh", "-c", shell)

    def page(self, path: str) -> str:
        code = f"from urllib.request import urlopen; print(urlopen('http://127.0.0.1:8080{path}').read().decode())"
        return docker("exec", self.name, "python3", "-c", code)

    def used(self) -> int:
        found = re.search(r'"used_slots": "(\d+)"', self.page("/api/modules_info"))
        assert found
        return int(found[1])

    def connects(self) -> int:
        found = re.search(r"_connect\{.*\} (\d+)", self.page("/metrics"))
        assert found
        return int(found[1])

    def state(self, template: str) -> str:
        return docker("inspect", "--format", "{{" + template + "}}", self.name)


class Start(Protocol):
    """Starts a stand-in; by default waits until it listens."""

    def __call__(
        self, kind: str, *argv: str, run: tuple[str, ...] = (), entry: str = "", wait: bool = True
    ) -> Standin: ...


def until(happened: Callable[[], bool], within: float = 60) -> None:
    deadline = time.monotonic() + within
    while not happened():
        assert time.monotonic() < deadline, f"did not happen within {within} s"
        time.sleep(0.2)
