"""Writes the record of a build while it runs: stages as BuildKit tells them, and what happens beside them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from baker.build import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from baker.build.machine import Machine
    from baker.build.prepare import Prepared
    from baker.buildkit.progress import Progress, Stage
    from baker.engine.interface import Engine, LocalImage
    from baker.verify.checks import Check

EXPORT, READ, VERIFY, ROOT = "export", "read", "verify", "root image"
# What takes no longer was there already.
MOMENT = 0.1


class Recorder:
    """Collects one build; `clock` returns seconds since 1970, as BuildKit's time stamps are."""

    def __init__(self, prepared: Prepared, machine: Machine, clock: Callable[[], float]) -> None:
        self._prepared, self._machine, self._clock = prepared, machine, clock
        self._begun = clock()
        self._progress: list[Progress] = []
        self._activities: list[record.Activity] = []
        self._images: list[record.Image] = []

    @contextmanager
    def activity(self, name: str, target: str = "") -> Iterator[None]:
        """Record what a block does, if it takes any time."""
        started = self._clock() - self._begun
        try:
            yield
        finally:
            ended = self._clock() - self._begun
            if ended - started > MOMENT:
                self._activities.append(record.Activity(name=name, target=target, started=started, ended=ended))

    def baked(self, progress: Progress) -> None:
        """Take what BuildKit did, also when it failed."""
        self._progress.append(progress)

    def verified(self, service: str, name: str, image: LocalImage, checks: Sequence[Check], engine: Engine) -> None:
        """Take an image that was looked at."""
        self._images.append(
            record.Image(
                service=service,
                name=name,
                digest=image.id,
                size=engine.uncompressed_size(image.id),
                layers=layers(engine, image),
                checks=tuple(
                    record.Check(name=one.name, passed=one.passed, detail=one.detail, skipped=one.skipped)
                    for one in checks
                ),
            )
        )

    def result(self, state: str, error: str = "") -> record.Build:
        """Return the record of the build as far as it came."""
        prepared, here = self._prepared, self._machine.engine
        services = tuple(image.target for image in prepared.plan.services)
        exports = [
            record.Activity(
                name=EXPORT,
                # BuildKit names the target only where there are several.
                target=each.target or (services[0] if len(services) == 1 else ""),
                started=each.started - self._begun,
                ended=each.ended - self._begun,
            )
            for progress in self._progress
            for each in progress.exports.values()
        ]
        return record.Build(
            started=self._begun,
            seconds=self._clock() - self._begun,
            state=state,
            error=error,
            base=prepared.plan.base,
            accel=prepared.plan.accel,
            services=services,
            platform=prepared.request.platform.name,
            engine=f"Docker {here.version}, buildx {self._machine.buildx}",
            cores=here.cores,
            stages=tuple(self._stages(finished=state == record.FINISHED)),
            activities=tuple(sorted([*self._activities, *exports], key=lambda item: item.started)),
            images=tuple(self._images),
            warnings=tuple(dict.fromkeys(text for progress in self._progress for text in progress.warnings)),
        )

    def _stages(self, *, finished: bool) -> Iterator[record.Stage]:
        """Yield the stages in the Dockerfile's order; what several builders went through is one stage each.

        BuildKit runs a step that two images share once, and then says of one of them alone that it has ended.
        """
        for stage in self._prepared.stages:
            for progress in self._progress:
                if found := progress.stages.get(stage.name):
                    after = tuple(filter(None, (*stage.sources, stage.parent)))
                    yield self._stage(found, after, finished=finished)

    def _stage(self, found: Stage, after: tuple[str, ...], *, finished: bool) -> record.Stage:
        spans = {**found.ran, **{step: (begun, self._clock()) for step, begun in found.running.items()}}
        steps = sorted((spans[step], found.texts[step]) for step in spans)
        return record.Stage(
            name=found.name,
            after=after,
            cached=found.from_cache,
            complete=finished or found.complete,
            seconds=found.elapsed(self._clock()),
            downloaded=found.downloads.total,
            steps=tuple(
                record.Step(text=text, started=max(0.0, start - self._begun), ended=end - self._begun)
                for (start, end), text in steps
            ),
            crates=found.crates,
        )


def layers(engine: Engine, image: LocalImage) -> tuple[record.Layer, ...]:
    """Return the layers of an image, lowest first, with what made each."""
    found = engine.layers(image.id)
    return tuple(record.Layer(digest=layer.digest, size=layer.size, made_by=layer.instruction) for layer in found)
