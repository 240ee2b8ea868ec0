"""What buildx prints under --progress=rawjson, read into the state of each stage. Pure: no clock, no terminal."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from baker.buildkit.downloads import Downloads

# "[stt toolchain-cuda 2/3] RUN …": bake's target, the stage, step and steps
VERTEX = re.compile(
    r"\[(?:\S+ )?(?P<stage>[a-z0-9][\w.-]*) +(?P<step>\d+)/(?P<steps>\d+)\] (?P<link>LINK )?(?P<command>.*)", re.DOTALL
)
# "[stt internal] load build definition from Dockerfile": what each build does first
BEGIN = re.compile(r"\[(?:\S+ )?internal\] load build definition ")
# "[stt] exporting to image", or the same without a target
EXPORT = re.compile(r"(?:\[(?P<target>\S+)\] )?exporting to ")
# "[stt] importing cache manifest from HOST/REPOSITORY:TAG", "[stt] exporting cache to registry": no build fails by them
CACHE = re.compile(r"(?:\[\S+\] )?(?:importing cache manifest from (?P<reference>\S+)|exporting cache)")
CRATES = re.compile(r"(\d+)/(\d+)(?:: |\s*$)")
TAIL_LINES = 20


@dataclass
class Stage:
    """A stage as far as it has come.

    Attributes:
        name: of the Dockerfile.
        steps: how many it has.
        started: whether one of them was begun.
        done: the steps that ran or came from the cache.
        ran: the start and the end of each step that had to run, in seconds since 1970.
        running: the start of each step that runs.
        texts: the instruction of each step.
        crates: how many crates cargo has compiled, of how many.
        downloads: what its steps have fetched.
    """

    name: str
    steps: int
    started: bool = False
    done: set[int] = field(default_factory=set)
    ran: dict[int, tuple[float, float]] = field(default_factory=dict)
    running: dict[int, float] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)
    crates: tuple[int, int] | None = None
    downloads: Downloads = field(default_factory=Downloads)

    @property
    def complete(self) -> bool:
        """Whether every step ran or came from the cache."""
        return len(self.done) == self.steps

    @property
    def from_cache(self) -> bool:
        """Whether no step had to run."""
        return self.complete and not self.ran

    @property
    def seconds(self) -> float:
        """Wall-clock seconds in which a step ran, without those in which the stage waited for others; 0 when cached."""
        total = latest = 0.0
        for start, end in sorted(self.ran.values()):
            total += max(0.0, end - max(start, latest))
            latest = max(latest, end)
        return total

    def elapsed(self, now: float) -> float:
        """Return the seconds in which its steps have run so far; `now` is in seconds since 1970."""
        return self.seconds + (max(0.0, now - max(self.running.values())) if self.running else 0.0)


@dataclass(frozen=True, kw_only=True)
class Export:
    """The images of a target on their way into the image store, from start to end, in seconds since 1970."""

    target: str
    started: float
    ended: float


@dataclass(frozen=True, kw_only=True)
class Failure:
    """The step that failed: its stage, its command, what BuildKit says, and the last lines that it printed."""

    stage: str
    command: str
    error: str
    tail: tuple[str, ...]


class Progress:
    """The state of a build. Feed it lines; ask it for stages, exports, warnings, the failure, and lines for the log.

    Attributes:
        stages: by name.
        failure: of the first step that failed.
        begun: when the first build began, in seconds since 1970.
        exporting: what is on its way into the image store now.
        exports: what is there, by target.
        warnings: what BuildKit warned of.
        imports: the references of caches that were asked, with what went wrong; empty where nothing did.
    """

    def __init__(self) -> None:
        self.stages: dict[str, Stage] = {}
        self.failure: Failure | None = None
        self.begun = 0.0
        self.exporting = ""
        self.exports: dict[str, Export] = {}
        self.warnings: list[str] = []
        self.imports: dict[str, str] = {}
        self._pending = ""
        self._names: dict[str, str] = {}
        self._tails: dict[str, list[str]] = {}
        self._partial: dict[str, str] = {}

    @property
    def reused(self) -> bool:
        """Whether any instruction came from a cache."""
        return any(
            step not in stage.ran and not stage.texts[step].startswith("FROM ")
            for stage in self.stages.values()
            for step in stage.done
        )

    def feed(self, line: str) -> list[str]:
        """Take one line of output and return the lines that belong in the log.

        Objects are one to a line since buildx 0.15 and spread over many before; other text passes through.
        """
        if not self._pending and not line.startswith("{"):
            return [line.rstrip()] if line.strip() else []
        self._pending += line
        # An object that is spread out ends with a brace in the first column.
        if not (line.startswith("}") or line.rstrip().endswith("}")):
            return []
        try:
            status = json.loads(self._pending)
        except json.JSONDecodeError:
            return []
        self._pending = ""
        return self._take(status)

    def _take(self, status: dict[str, Any]) -> list[str]:
        lines: list[str] = []
        for vertex in status.get("vertexes") or ():
            lines += self._vertex(vertex)
        for log in status.get("logs") or ():
            lines += self._say(str(log["vertex"]), base64.b64decode(log["data"]).decode(errors="replace"))
        for warning in status.get("warnings") or ():
            text = base64.b64decode(warning.get("short") or "").decode(errors="replace")
            self.warnings.append(text)
            lines.append(f"warning: {text}")
        return lines

    def _vertex(self, vertex: dict[str, Any]) -> list[str]:
        name, digest = str(vertex["name"]), str(vertex["digest"])
        lines = self._say(digest, "\n") if vertex.get("completed") and self._partial.get(digest) else []
        new = digest not in self._names
        self._names[digest] = name
        match = VERTEX.match(name)
        if BEGIN.match(name) and not self.begun:
            self.begun = _seconds(vertex.get("started"))
        if export := EXPORT.match(name):
            self._export(export["target"] or "", name, vertex)
        if cache := CACHE.match(name):
            if cache["reference"] and vertex.get("completed"):
                self.imports[cache["reference"]] = _squeezed(vertex.get("error") or "")
        elif vertex.get("error") and "context canceled" not in vertex["error"]:
            tail = tuple(self._tails.get(digest, [])[-TAIL_LINES:])
            stage, command = (match["stage"], _squeezed(match["command"])) if match else ("", name)
            self.failure = self.failure or Failure(stage=stage, command=command, error=vertex["error"], tail=tail)
        if match and not match["link"]:
            self._step(match, vertex)
        if new and vertex.get("started") and not vertex.get("cached"):
            lines.append(f"{_short(name)}: started")
        return lines

    def _export(self, target: str, name: str, vertex: dict[str, Any]) -> None:
        self.exporting = "" if vertex.get("completed") else name
        started, ended = _seconds(vertex.get("started")), _seconds(vertex.get("completed"))
        if started and ended:
            self.exports[target] = Export(target=target, started=started, ended=ended)

    def _step(self, match: re.Match[str], vertex: dict[str, Any]) -> None:
        stage = self.stages.setdefault(match["stage"], Stage(name=match["stage"], steps=int(match["steps"])))
        step = int(match["step"])
        started, ended = _seconds(vertex.get("started")), _seconds(vertex.get("completed"))
        # What another build has made meanwhile, or makes just now, comes with the times of that build.
        cached = vertex.get("cached") or match["command"].startswith("FROM ") or 0 < ended < self.begun
        stage.started = stage.started or bool(started and not vertex.get("cached"))
        stage.texts[step] = _squeezed(match["command"])
        if started and not ended and not cached:
            stage.running[step] = started
        elif ended:
            stage.running.pop(step, None)
        if ended and not vertex.get("error"):
            stage.done.add(step)
            # Bake solves each image by itself: a step that ran for one of them is told again, as cached, for the next.
            if not cached and step not in stage.ran:
                stage.ran[step] = (started or ended, ended)

    def _say(self, digest: str, piece: str) -> list[str]:
        """Take a piece of a step's output, which ends anywhere in a line: the rest comes with the next piece."""
        match = VERTEX.match(self._names.get(digest, ""))
        stage = match["stage"] if match else ""
        lines = []
        *whole, self._partial[digest] = re.split(r"[\r\n]", self._partial.get(digest, "") + piece)
        for line in whole:
            text = line.rstrip()
            crates = CRATES.search(text) if "Building [" in text else None
            if crates and stage in self.stages:
                self.stages[stage].crates = (int(crates[1]), int(crates[2]))
            elif text.strip() and "Building [" not in text:
                lines.append(f"{stage or 'build'} | {text}")
                self._tails.setdefault(digest, []).append(text)
                if stage in self.stages:
                    self.stages[stage].downloads.read(text)
        return lines


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _short(name: str) -> str:
    text = _squeezed(name)
    return text if len(text) <= 160 else text[:159] + "…"  # noqa: PLR2004 - two lines of a terminal


def _seconds(stamp: str | None) -> float:
    """Return an RFC 3339 time stamp as seconds; it may have nanoseconds, and Go's zero time is none."""
    if not stamp or stamp.startswith("0001-"):
        return 0.0
    return datetime.fromisoformat(re.sub(r"(\.\d{1,6})\d*", r"\1", stamp)).timestamp()
