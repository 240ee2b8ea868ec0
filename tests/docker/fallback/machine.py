"""Containers in which the real start script runs, with stand-ins for the server, the card and the driver."""

from __future__ import annotations

import dataclasses
import time
import tomllib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker
    from docker.models.containers import Container

TOP = Path(__file__).parents[3]
SERVICE = TOP / "services/moshi-server"
BASE = tomllib.loads((SERVICE / "base.toml").read_text())["image"]
WORKER = ("worker", "--config", "configs/local.toml")
# Behind a proxy the script cannot tell whether there is a network.
PROXY = {"HTTPS_PROXY": "http://proxy:3128"}
L4 = "NVIDIA L4, 8.9, 570.86.15"
T4 = "Tesla T4, 7.5, 570.86.15"
NO_DRIVER = {"PATH": "/usr/bin:/bin"}


def card(*cards: str, **more: str) -> dict[str, str]:
    """The environment in which nvidia-smi prints these lines, and the driver's library is there."""
    return {
        "CARDS": "\n".join(cards),
        "PATH": "/standins/bin:/usr/bin:/bin",
        "LD_LIBRARY_PATH": "/standins/driver",
        **more,
    }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a start left: its exit code, what the stand-in server or command printed, and what the script said."""

    code: int
    out: tuple[str, ...]
    said: tuple[str, ...]

    @property
    def binary(self) -> str:
        return next(line for line in self.out if line.startswith("binary ")).removeprefix("binary ")

    @property
    def args(self) -> list[str]:
        return [line.removeprefix("arg ") for line in self.out if line.startswith("arg ")]

    @property
    def env(self) -> dict[str, str]:
        pairs = (line.removeprefix("env ").split("=", 1) for line in self.out if line.startswith("env "))
        return dict(pairs)

    def refuses(self, code: int, reason: str, *parts: str) -> None:
        """Assert that nothing ran, and that one line says this."""
        assert (self.code, self.out, len(self.said)) == (code, (), 1), self
        assert self.said[0].startswith(f"moshi-server: {reason}: "), self
        assert [part for part in parts if part not in self.said[0]] == [], self

    def runs(self, binary: str, *parts: str, notes: int = 0) -> None:
        """Assert that this ran, and that its line says so after as many notes."""
        assert self.code == 0, self
        assert self.binary == binary, self
        assert [line.split(": ")[1] for line in self.said] == ["note"] * notes + ["run"], self
        assert [part for part in parts if part not in self.said[-1]] == [], self


class Machine:
    """An engine with the stand-in images."""

    def __init__(self, client: docker.DockerClient, images: dict[str, str]) -> None:
        self.client = client
        self.images = images

    @contextmanager
    def started(self, *command: str, image: str = "slim", env: dict[str, str], **options: Any) -> Iterator[Container]:
        options = {"environment": {**BASE["env"], **env}, "network_mode": "none", **options}
        container = self.client.containers.run(self.images[image], list(command), detach=True, **options)
        try:
            yield container
        finally:
            container.remove(force=True)

    def start(self, *command: str, image: str = "slim", env: dict[str, str] = NO_DRIVER, **options: Any) -> Outcome:
        with self.started(*command, image=image, env=env, **options) as container:
            return ended(container)


def ended(container: Container) -> Outcome:
    code = int(container.wait(timeout=60)["StatusCode"])
    out, said = (container.logs(stdout=first, stderr=not first).decode().splitlines() for first in (True, False))
    return Outcome(code=code, out=tuple(out), said=tuple(said))


def until_said(container: Container, text: str) -> None:
    for _ in range(600):
        if text in container.logs().decode():
            return
        time.sleep(0.05)
    pytest.fail(f"never said {text!r}: {container.logs().decode()}")


def target(volume: str) -> dict[str, dict[str, str]]:
    return {volume: {"bind": "/app/target", "mode": "rw"}}


def cache(volume: str) -> dict[str, dict[str, str]]:
    return {volume: {"bind": "/root/.cache/huggingface", "mode": "rw"}}


# An empty volume takes the folder's mode from the image at every start, one with a file keeps its own.
KEEP = "touch /app/target/.keep /tmp/unmute_logs/.keep; "
