"""The life of a service in one way: first start, restart, another config, no network, a newer crate."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from baker.bench.startup.result import (
    BAKED,
    CONFIG,
    FIRST,
    OFFLINE,
    RESTART,
    UPGRADE,
    UPSTREAM,
    VOLUMES,
    Measurement,
    Weight,
)
from baker.bench.startup.size import packed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from baker.bench.startup.copies import Copy
    from baker.bench.startup.progress import Progress
    from baker.bench.startup.stack import Stack
    from baker.bench.startup.subject import Subject, Versions

# Upstream keeps nothing of a start, so that each of these is the same work as its first one.
ALIKE = (RESTART, CONFIG, UPGRADE)


@dataclass(frozen=True, kw_only=True)
class Built:
    """What a `baker build` took, and whether it compiled the binary."""

    seconds: float
    fresh: bool


@dataclass(frozen=True, kw_only=True)
class Life:
    """One way's service from an empty machine on. Each scenario goes on from where the one before it left things.

    Attributes:
        run: the number of this life.
        binary: the name of the crate's binary.
        options: what `baker build` is told besides the service.
        logs: the folder for the containers' logs.
        progress: where it is shown.
    """

    way: str
    run: int
    stack: Stack
    copy: Copy
    subject: Subject
    versions: Versions
    binary: str
    options: tuple[str, ...]
    logs: Path
    progress: Progress

    def live(self, wanted: tuple[str, ...], *, shared: bool) -> Iterator[Measurement]:
        """Yield a measurement for each wanted scenario.

        With `shared`, upstream's first start stands for those that are the same work.
        """
        mark = self._mark()
        self.stack.down(volumes=True)
        self.copy.pin(self.versions.crate, self.versions.previous)
        self.subject.configure(self.copy.root, mark)
        self._build()
        version = self.versions.previous.version
        # What is in the volumes after a first start, the others start from.
        if FIRST in wanted or self.way == VOLUMES:
            first = self._measure(FIRST, mark, version)
            yield first
            if shared and self.way == UPSTREAM:
                yield from (replace(first, scenario=name, same_as=FIRST) for name in ALIKE if name in wanted)
                wanted = tuple(name for name in wanted if name not in ALIKE)
        if RESTART in wanted:
            yield self._measure(RESTART, mark, version)
        if CONFIG in wanted:
            mark = self._mark()
            self.subject.configure(self.copy.root, mark)
            yield self._measure(CONFIG, mark, version, self._build())
        if OFFLINE in wanted:
            yield self._measure(OFFLINE, mark, version)
        if UPGRADE in wanted:
            self.copy.pin(self.versions.crate, self.versions.pinned)
            self.stack.down()
            if self.way == VOLUMES:
                self.stack.remove_file(f"/app/target/release/{self.binary}")
            yield self._measure(UPGRADE, mark, self.versions.pinned.version, self._build())

    def weigh(self) -> Weight:
        """Return the bytes of the image and of the volumes as they are now."""
        image = self.stack.environment["BENCH_IMAGE"]
        self.progress.begin(f"{self.way}: weighing {image}")
        return Weight(
            way=self.way,
            image=self.stack.engine.uncompressed_size(image),
            packed=packed(self.stack.engine.sdk, image),
            volumes=self.stack.volume_bytes(image),
        )

    def _build(self) -> Built:
        """Build the baked image anew; the other ways have none that depends on config or version."""
        if self.way != BAKED:
            return Built(seconds=0.0, fresh=False)
        self.progress.begin(f"{self.way}, run {self.run}: baker build")
        begun = time.monotonic()
        done = self.copy.build(self.subject.service, *self.options, say=self.progress.say)
        fresh = any(stage.name.startswith("binary-") and not stage.cached for stage in done.stages)
        return Built(seconds=time.monotonic() - begun, fresh=fresh)

    def _measure(self, scenario: str, mark: str, version: str, built: Built | None = None) -> Measurement:
        self.progress.begin(f"{self.way}, run {self.run}: {scenario}")
        self.stack.down()
        begun = self.stack.up(
            lambda container: self.subject.said(container, mark),
            self.progress.say,
            offline=scenario == OFFLINE,
            BENCH_VERSION=version,
        )
        log = self.logs / f"{self.way}-{scenario}-{self.run}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(begun.log)
        return Measurement(
            way=self.way,
            scenario=scenario,
            run=self.run,
            seconds=begun.seconds,
            build=built.seconds if built else 0.0,
            fresh=built is not None and built.fresh,
            compiled=begun.compiled,
            downloaded=begun.downloaded,
            said=begun.said,
            log=log.name,
        )

    def _mark(self) -> str:
        # Never the same twice: what an earlier benchmark built would come from the cache.
        return f"mark-{uuid.uuid4().hex}"
