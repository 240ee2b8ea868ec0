"""Records of builds: what ran when, what came of it. Kept in .baker/builds, one file for each build, newest last."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from baker.system import files

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "builds"
KEPT = 30
FINISHED, FAILED, INTERRUPTED = "finished", "failed", "interrupted"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """An instruction that ran, from start to end in seconds since the build's start."""

    text: str
    started: float
    ended: float


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A stage that a build went through.

    Attributes:
        name: of the Dockerfile.
        after: the stages that it waits for.
        cached: whether no step had to run.
        complete: whether its last step is done.
        seconds: in which its steps ran.
        downloaded: bytes, by what its steps printed.
        steps: those that ran.
        crates: how many cargo had compiled when it ended, of how many; none of a stage that compiles nothing.
    """

    name: str
    after: tuple[str, ...]
    cached: bool
    complete: bool
    seconds: float
    downloaded: int
    steps: tuple[Step, ...]
    crates: tuple[int, int] | None = None


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """What happens beside the stages, in seconds since the build's start: the root, an export, a verification."""

    name: str
    target: str
    started: float
    ended: float


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """A layer of an image. `size` is in bytes on disk, `made_by` the instruction."""

    digest: str
    size: int
    made_by: str


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A check of an image, as verify.checks.Check."""

    name: str
    passed: bool
    detail: str
    skipped: bool


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """An image that was built. `size` is in bytes, unpacked; layers are from the lowest up."""

    service: str
    name: str
    digest: str
    size: int
    layers: tuple[Layer, ...]
    checks: tuple[Check, ...]


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """One build. `started` is in seconds since 1970; `state` is finished, failed or interrupted."""

    started: float
    seconds: float
    state: str
    error: str
    base: str
    accel: str
    services: tuple[str, ...]
    platform: str
    engine: str
    cores: int
    stages: tuple[Stage, ...]
    activities: tuple[Activity, ...]
    images: tuple[Image, ...]
    warnings: tuple[str, ...]

    @property
    def begun(self) -> datetime:
        """When it began."""
        return datetime.fromtimestamp(self.started, tz=UTC)

    @property
    def kind(self) -> tuple[str, str, str]:
        """What builds have in common that can be compared: base, accel and platform."""
        return (self.base, self.accel, self.platform)

    @property
    def downloaded(self) -> int:
        """The bytes that its stages have fetched."""
        return sum(stage.downloaded for stage in self.stages)


def write(build: Build, state: Path) -> Path:
    """Write a record, and remove the oldest ones; return its file."""
    folder = state / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{build.begun:%Y%m%dT%H%M%S.%fZ}.json"
    files.write_atomically(path, msgspec.json.format(msgspec.json.encode(build), indent=1))
    for old in sorted(folder.glob("*.json"))[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


def read(state: Path) -> tuple[Build, ...]:
    """Return the records, newest first; those of another release are left out."""
    found = []
    for path in sorted((state / FOLDER).glob("*.json"), reverse=True):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Build))
        except (OSError, msgspec.DecodeError):
            continue
    return tuple(found)
