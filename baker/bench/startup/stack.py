"""One way as a compose project: up, the word, down; and what its log and its network say."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baker.bench.startup.devel import SCRIPTS
from baker.engine import containers
from baker.errors import EngineError
from baker.system import process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from baker.engine.client import Docker

SERVICE, OFFLINE = "server", "offline"
COMPILED = re.compile(rb"^ +Compiling \S+ v", re.MULTILINE)
LABEL = "com.docker.compose.project"
PAUSE, LOOK, SPEAK = 0.01, 0.5, 15.0
PATIENCE = 3 * 3600.0


@dataclass(frozen=True, kw_only=True)
class Start:
    """What came of an `up`; `seconds` is None where the container ended without a word. `said` is its last line."""

    seconds: float | None
    compiled: int
    downloaded: int | None
    said: str
    log: bytes


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A compose project of one service. `project` is its name, `environment` what its file wants."""

    engine: Docker
    project: str
    way: str
    environment: Mapping[str, str]

    def up(
        self, said: Callable[[Any], bool], say: Callable[[str], None], *, offline: bool = False, **settings: str
    ) -> Start:
        """Start a container and return when it says its word, or ends.

        Args:
            said: whether it has.
            say: is told the container's last line now and then.
            offline: whether the network leads nowhere.
            settings: what differs from the environment.
        """
        begun = time.monotonic()
        self._compose("up", "--detach", "--no-build", "--pull=never", "--quiet-pull", offline=offline, **settings)
        container = self._container()
        heard = self._wait(container, said, say, begun)
        return self._told(container, heard - begun if heard else None)

    def down(self, *, volumes: bool = False) -> None:
        """Remove container and network, and the volumes too when asked."""
        self._compose("down", "--timeout=0", "--remove-orphans", *(("--volumes",) if volumes else ()))

    def remove_file(self, path: str) -> None:
        """Remove a file from one of the volumes."""
        self._compose("run", "--rm", "--no-deps", "--entrypoint=rm", SERVICE, "--force", path)

    def volume_bytes(self, image: str) -> int:
        """Return what the volumes hold, as `du` counts it in a container of an image."""
        named = [volume.name for volume in self.engine.sdk.volumes.list(filters={"label": f"{LABEL}={self.project}"})]
        binds = {name: {"bind": f"/volumes/{name}", "mode": "ro"} for name in named}
        told = containers.run_once(
            self.engine, image, ["--summarize", "--block-size=1", "/volumes"], entrypoint="du", user="0", volumes=binds
        )
        return int(told.split()[0])

    def _wait(
        self,
        container: Any,  # noqa: ANN401 - the SDK's containers have no types
        said: Callable[[Any], bool],
        say: Callable[[str], None],
        begun: float,
    ) -> float | None:
        looked = spoke = time.monotonic()
        while True:
            if said(container):
                return time.monotonic()
            now = time.monotonic()
            if now - looked > LOOK:
                looked = now
                container.reload()
                if container.status == "exited":
                    # It may have spoken between the question and its end.
                    return time.monotonic() if said(container) else None
            if now - spoke > SPEAK:
                spoke = now
                say(f"{now - begun:.0f} s: {_last(container.logs(tail=1))}")
            if now - begun > PATIENCE:
                raise EngineError(f"{self.way}: no word after {PATIENCE:.0f} s: {_last(container.logs(tail=1))}")
            # Asking costs: what takes long is asked less often, and comes out at most a per cent too long.
            time.sleep(max(PAUSE, (now - begun) / 100))

    def _told(self, container: Any, seconds: float | None) -> Start:  # noqa: ANN401
        log: bytes = container.logs()
        return Start(
            seconds=seconds,
            compiled=len(COMPILED.findall(log)),
            downloaded=sum(counts) if (counts := list(self._received(container))) else None,
            said="" if seconds is not None else _reason(log),
            log=log,
        )

    def _received(self, container: Any) -> Iterator[int]:  # noqa: ANN401
        """Yield the bytes that the host sent into each of the container's networks; a network lives from up to down."""
        for network in container.attrs["NetworkSettings"]["Networks"].values():
            counter = Path(f"/sys/class/net/br-{network['NetworkID'][:12]}/statistics/tx_bytes")
            if counter.exists():
                yield int(counter.read_text())

    def _container(self) -> Any:  # noqa: ANN401
        found = self.engine.sdk.containers.list(
            all=True, filters={"label": f"{LABEL}={self.project}"}, ignore_removed=True
        )
        if len(found) != 1:
            raise EngineError(f"compose started {len(found)} containers for {self.project}, not 1")
        return found[0]

    def _compose(self, *arguments: str, offline: bool = False, **settings: str) -> None:
        files = [f"--file={SCRIPTS / self.way}.yml"] + ([f"--file={SCRIPTS / OFFLINE}.yml"] if offline else [])
        argv = ["docker", "compose", "--progress=quiet", f"--project-name={self.project}", *files, *arguments]
        process.capture(argv, env={**self.engine.environment, **self.environment, **settings})


def _last(log: bytes) -> str:
    lines = [line.strip() for line in log.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "(it printed nothing)"


def _reason(log: bytes) -> str:
    """Return the line with the error, as uv, cargo and most programs mark it; else the last line."""
    return next((line for line in log.decode(errors="replace").splitlines() if line.startswith("error")), _last(log))
