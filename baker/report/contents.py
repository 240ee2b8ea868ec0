"""What a report says, as a value: page, picture and text lay it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker.bench.startup import result
from baker.build import record
from baker.errors import UsageError
from baker.report import timeline

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from baker.bench.startup.result import Result
    from baker.build.record import Build
    from baker.report.timeline import Timeline

# Layers that together make less than this share of all are left to the last line.
SMALL = 0.005


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer of the images of a build: its bytes on disk, what made it, the images that have it.

    `new` says that no image of the build before had it.
    """

    digest: str
    size: int
    made_by: str
    images: tuple[str, ...]
    new: bool

    @property
    def shared(self) -> bool:
        """Whether several images have it."""
        return len(self.images) > 1


@dataclass(frozen=True, kw_only=True)
class Size:
    """The size of an image in one build; `before` is that in the build before, 0 where there was none."""

    service: str
    size: int
    before: int


@dataclass(frozen=True, kw_only=True)
class Contents:
    """Everything that a report says.

    Attributes:
        build: the build.
        timeline: when what ran.
        layers: of all its images, largest first.
        history: builds of the same kind that left images, newest first, with the size of each image.
        benches: what the benchmarks of this project measured.
    """

    build: Build
    timeline: Timeline
    layers: tuple[Layer, ...]
    history: tuple[tuple[Build, tuple[Size, ...]], ...]
    benches: tuple[Result, ...]

    @property
    def downloads(self) -> tuple[record.Stage, ...]:
        """The stages that fetched something, the largest first."""
        found = (stage for stage in self.build.stages if stage.downloaded)
        return tuple(sorted(found, key=lambda stage: -stage.downloaded))

    @property
    def unpacked(self) -> int:
        """The bytes of all layers, each counted once."""
        return sum(layer.size for layer in self.layers)

    @property
    def large(self) -> tuple[Layer, ...]:
        """The layers that are worth a line."""
        return tuple(layer for layer in self.layers if layer.size >= SMALL * self.unpacked)


def read(state: Path, back: int = 1) -> Contents:
    """Return what there is to report of a project.

    Args:
        state: its .baker folder.
        back: which build: 1 is the last one.

    Raises:
        UsageError: there is no such build.
    """
    builds = record.read(state)
    if not builds:
        raise UsageError(f"{state} has no record of a build: run `baker build` first")
    if back > len(builds):
        raise UsageError(f"{state} has records of {len(builds)} builds, so there is no build {back}")
    return contents(builds[back - 1 :], _benches(state))


def contents(builds: Sequence[Build], benches: Sequence[Result] = ()) -> Contents:
    """Return what there is to report of the first of some builds, which are newest first.

    Only builds of the same base, accel and platform are compared with it.
    """
    build = builds[0]
    same = [other for other in builds if other.kind == build.kind]
    earlier = same[1:]
    before = next((other for other in earlier if other.images), None)
    return Contents(
        build=build,
        timeline=timeline.read(build),
        layers=_layers(build, before),
        history=tuple((one, _sizes(one, same[at + 1 :])) for at, one in enumerate(same) if one.images),
        benches=tuple(benches),
    )


def _layers(build: Build, before: Build | None) -> tuple[Layer, ...]:
    known = {layer.digest for image in before.images for layer in image.layers} if before else set[str]()
    found: dict[str, Layer] = {}
    for image in build.images:
        for layer in image.layers:
            others = found[layer.digest].images if layer.digest in found else ()
            found[layer.digest] = Layer(
                digest=layer.digest,
                size=layer.size,
                made_by=layer.made_by or "the root image",
                images=tuple(dict.fromkeys((*others, image.service))),
                new=before is not None and layer.digest not in known,
            )
    return tuple(sorted(found.values(), key=lambda layer: (-layer.size, layer.digest)))


def _sizes(build: Build, earlier: Sequence[Build]) -> tuple[Size, ...]:
    def before(service: str) -> int:
        sizes = (image.size for other in earlier for image in other.images if image.service == service)
        return next(sizes, 0)

    return tuple(Size(service=image.service, size=image.size, before=before(image.service)) for image in build.images)


def _benches(state: Path) -> tuple[Result, ...]:
    """Return the results of benchmarks that this release can read."""
    found = []
    for path in sorted((state / "bench").glob("*/result.json")):
        try:
            one = result.read(path)
        except UsageError:
            continue
        if one is not None and one.measurements:
            found.append(one)
    return tuple(found)
