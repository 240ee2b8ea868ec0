"""From services to tagged images: prepare, bake, verify, tag."""

from __future__ import annotations

import hashlib
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from baker.build import early, planning, prepare, receipt, record, root_image, uptodate
from baker.build.machine import probe
from baker.build.receipt import Receipt
from baker.build.recorder import READ, ROOT, VERIFY, Recorder
from baker.build.state import held
from baker.buildkit import bake, builder, cache_registry, distribute, history, proxies, secrets
from baker.buildkit.display import Screen
from baker.buildkit.progress import Progress
from baker.dockerfile import bakefile, labels
from baker.dockerfile.bases import BASES
from baker.errors import BakerError, InterruptedBuildError
from baker.verify import verifier
from baker.verify.rules import rules

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rich.console import Console

    from baker.build.estimate import Estimate
    from baker.build.machine import Machine
    from baker.build.prepare import Prepared
    from baker.build.request import Request
    from baker.buildkit.bake import StageTime
    from baker.buildkit.distribute import Share
    from baker.config.settings import Settings
    from baker.dockerfile.plan import ImagePlan
    from baker.dockerfile.stages import Stage
    from baker.engine.interface import Engine, EngineInfo, LocalImage
    from baker.system.process import Process

STAGING = "baker-building"
TARBALL = "{target}.tar"


def build_images(
    request: Request, engine: Engine, console: Console, *, force: bool = False, anyway: bool = False
) -> tuple[Receipt, ...]:
    """Build, verify and tag the images of some services, unless they are here and nothing has changed.

    Of several platforms, each is built, verified and tagged by itself, in turn.

    Args:
        request: what to build.
        engine: where.
        console: where it is shown.
        force: whether to build when nothing has changed.
        anyway: whether to build when the disk may be too small.
    """
    done = (_build_images(each, engine, console, force=force, anyway=anyway) for each in request.each())
    return tuple(receipt for receipts in done for receipt in receipts)


def _build_images(
    request: Request, engine: Engine, console: Console, *, force: bool, anyway: bool
) -> tuple[Receipt, ...]:
    earlier = uptodate.as_before(request)
    if earlier and not force and (done := uptodate.unchanged(engine, earlier)):
        console.print("nothing has changed since these images were built; --force builds them anyway", highlight=False)
        return done
    machine = probe(engine, request.settings.builders)
    prepared = prepare.prepare(request, machine, engine.environment, console.print, earlier=earlier)
    return build(prepared, machine, engine, console, anyway=anyway)


def build_missing(prepared: Prepared, machine: Machine, engine: Engine, console: Console) -> tuple[Receipt, ...]:
    """Build what was prepared, unless it is here and nothing has changed."""
    return uptodate.unchanged(engine, prepared) or build(prepared, machine, engine, console)


def build(
    prepared: Prepared, machine: Machine, engine: Engine, console: Console, *, anyway: bool = False
) -> tuple[Receipt, ...]:
    """Say what the build will take, then bake, verify and tag what was prepared.

    Tags move last and together: when anything fails or Ctrl-C comes, the old ones are as they were.

    Raises:
        EngineError: the builder or the image store cannot do what is asked, or the disk is too small.
        BuildError: a stage failed.
        VerifyError: an image is not what it should be.
        InterruptedBuildError: Ctrl-C.
    """
    request = prepared.request
    if request.epoch is not None:
        builder.require_oci(machine.builders, machine.engine, "--reproducible")
    say = partial(console.print, highlight=False, markup=False)
    planning.warn_of_small_cache(machine, planning.accel_of(prepared.plan), say)
    given = secrets.collect(request.settings, engine.environment)
    with held(request.project.state, console.print):
        found, room = planning.expected(prepared, machine, engine), planning.free(machine.engine)
        for line in planning.told(found, room):
            say(line)
        planning.require_room(found.disk, machine.engine, room, anyway=anyway)
        baking = _Baking(
            prepared=prepared,
            machine=machine,
            engine=engine,
            console=console,
            secrets=given,
            expected=found,
            recorder=Recorder(prepared, machine, time.time),
            early=early.Early(
                engine, {target: staging(request, target) for target in early.targets(prepared, machine, found)}
            ),
        )
        return baking.recorded()


@dataclass(frozen=True, kw_only=True)
class _Baking:
    """One build. `secrets` are (id, file), `expected` what it should take, and `times` grows as stages are done.

    `early` are the environments that are exported and read while binaries compile. Several builders work in threads;
    `alone` lets one of them at a time use the files of `.baker`.
    """

    prepared: Prepared
    machine: Machine
    engine: Engine
    console: Console
    secrets: tuple[tuple[str, Path], ...]
    expected: Estimate
    recorder: Recorder
    early: early.Early
    times: list[StageTime] = field(default_factory=list)
    alone: threading.Lock = field(default_factory=threading.Lock)

    def recorded(self) -> tuple[Receipt, ...]:
        """Run, and leave a record of the build whatever comes of it."""
        state, error = record.FAILED, ""
        try:
            done = self.run()
            state = record.FINISHED
        except KeyboardInterrupt as stop:
            state = record.INTERRUPTED
            raise InterruptedBuildError(
                "interrupted: the build was ended and the tags are as they were. The same command goes on from here"
            ) from stop
        except BakerError as failure:
            error = str(failure)
            raise
        else:
            return done
        finally:
            # A disk that is full has no room for it, and the build's own failure is what counts.
            with suppress(OSError):
                record.write(self.recorder.result(state, error), self.prepared.request.project.state)

    def run(self) -> tuple[Receipt, ...]:
        prepared, engine = self.prepared, self.engine
        request, planned = prepared.request, prepared.plan
        if BASES[planned.base].local:
            with self.recorder.activity(ROOT):
                for root in root_image.recipes(request, planned):
                    root_image.ensure(engine, root, self.console.print, self.secrets)
        prepare.write(prepared, prepared.context)
        versions = f"docker {self.machine.engine.version}, buildx {self.machine.buildx}"
        self.console.print(f"{versions}; the whole log: {_log(request)}", highlight=False)
        staged = {image.target: staging(request, image.target) for image in planned.services}
        tarballs = {target: prepared.context / TARBALL.format(target=target) for target in staged}
        try:
            binaries = cache_registry.targets(planned, request.settings)
            for each in distribute.deal(request.settings.builders, tuple(staged), binaries):
                distribute.make(each, self.bake)
            if request.epoch is not None:
                for tarball in tarballs.values():
                    engine.load(tarball)
            with self.recorder.activity(READ):
                self.early.wait()
            verified = [(image, self.verified(image, staged[image.target])) for image in planned.services]
            return finish(prepared, verified, engine, self.times)
        finally:
            for tarball in tarballs.values():
                tarball.unlink(missing_ok=True)
            for reference in staged.values():
                engine.untag(reference)
            self.early.forget()

    def bake(self, share: Share, started: Callable[[Process], None]) -> None:
        """Build one builder's share, and remember what it has made."""
        prepared, request = self.prepared, self.prepared.request
        settings, by = request.settings, self.machine.builder(share.builder)
        several = len(settings.builders) > 1
        with self.alone:
            contexts = root_image.contexts(self.engine, request, prepared.plan, by)
        argv = bake.arguments(
            builder=share.builder,
            secrets=self.secrets,
            output=output(self.machine.engine, settings),
            tags={
                **{target: staging(request, target) for target in share.images},
                **self.early.names,
                **dict.fromkeys(share.binaries, ""),
            },
            options=(
                *cache_registry.options(prepared.plan, settings),
                *proxies.options(self.engine.environment),
            ),
            contexts=contexts,
            epoch=request.epoch,
        )
        progress = Progress()

        def watch(now: Progress) -> None:
            nonlocal progress
            progress = now
            self.early.watch(now)

        made: tuple[Stage, ...] = ()
        try:
            bake.bake(
                argv,
                context=prepared.context,
                environment=self.engine.environment,
                log=_log(request, share if several else None),
                screen=Screen(
                    console=self.console,
                    label=share.builder if several else "",
                    schedule=None if several else self.expected.schedule,
                ),
                started=started,
                watch=watch,
            )
            made = prepared.needed(share.images)
            if unused := cache_registry.unused(progress, settings):
                self.console.print(unused, highlight=False, markup=False)
        finally:
            own = bake.times(progress)
            self.times.extend(own)
            self.recorder.baked(progress)
            made = made or prepared.named(time.name for time in own)
            with self.alone:
                history.record(request.project.state, by.cache_id, made, own)

    def verified(self, planned: ImagePlan, reference: str) -> LocalImage:
        """Return the image of a name once it has passed every check."""
        image = verifier.require_image(self.engine, reference, "build again")
        top = self.prepared.top(planned)
        before = receipt.read(planned.target, self.prepared.request.receipts)
        known = before is not None and verifier.foundation(image, planned, top) == before.foundation != ""
        with self.recorder.activity(VERIFY, planned.target):
            checks = verifier.check_built(self.engine, image, planned, top, known=known, say=self.console.print)
        name = bakefile.names(self.prepared.plan, self.prepared.request.settings, planned.name)[0]
        self.recorder.verified(planned.target, name, image, checks, self.engine)
        verifier.require(reference, checks)
        return image


def finish(
    prepared: Prepared, verified: Sequence[tuple[ImagePlan, LocalImage]], engine: Engine, times: Sequence[StageTime]
) -> tuple[Receipt, ...]:
    """Write the receipts of verified images, then give all of them their tags: nothing comes after those."""
    request = prepared.request
    done, names = [], []
    for planned, image in verified:
        tags = bakefile.names(prepared.plan, request.settings, planned.name)
        names += [(image.id, name) for name in tags]
        done.append(
            Receipt(
                service=planned.target,
                image=tags[0],
                digest=image.id,
                size=engine.uncompressed_size(image.id),
                base=prepared.plan.base,
                accel=prepared.plan.accel,
                crate=f"{planned.crate.name} {planned.crate.version}",
                own={name: value for name, value in planned.labels if name in labels.OWN},
                inputs=prepared.inputs(planned),
                foundation=verifier.foundation(image, planned, prepared.top(planned)),
                checks=rules(planned.requirements),
                link=prepared.choice.link,
                export=uptodate.export(request),
                platform=prepared.plan.platform.name,
                built_on=prepared.plan.build_platform.name,
                local=prepared.plan.local.name,
                stages=tuple(times),
                layers=image.layers,
            )
        )
    for item in done:
        receipt.write(item, request.receipts)
    for digest, name in names:
        engine.tag(digest, name)
    return tuple(done)


def staging(request: Request, target: str) -> str:
    """Return the name that an image has until it is verified: another project's has another one."""
    project = hashlib.sha256(str(request.project.state.resolve()).encode()).hexdigest()[:12]
    name = bakefile.image_name(replace(request.settings, registry=""), target)
    return f"{name}:{STAGING}-{project}{request.platform.suffix}"


def output(here: EngineInfo, settings: Settings) -> str:
    """Return the exporter that loads the images into the local store."""
    exporter = f"type=docker,compression={settings.compression}" if here.containerd_store else "type=docker"
    if here.containerd_store and settings.compression == "zstd":
        # Docker's own media types have no zstd: what is pushed under them cannot be pulled.
        exporter += ",oci-mediatypes=true"
    # The engine's own store takes no rewritten layers from its builder, only by way of a tarball.
    return exporter + (f",rewrite-timestamp=true,dest={TARBALL}" if settings.reproducible else "")


def _log(request: Request, share: Share | None = None) -> Path:
    what = f"-{share.builder}{'' if share.images else '-binaries'}" if share else ""
    return request.project.state / f"build{what}.log"
