"""From services to tagged images: the stages of `baker build`, in a few lines."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from baker import (
    bakefile,
    build,
    current,
    engine,
    exporters,
    forecast,
    ledger,
    prepare,
    receipt,
    registrycache,
    secrets,
    shares,
    verify,
)
from baker.errors import EngineError, InterruptedBuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console

    from baker.forecast import Outlook
    from baker.plan import ImagePlan
    from baker.prepare import Prepared, Request
    from baker.receipt import Receipt
    from baker.run import Process
    from baker.settings import Settings
    from baker.shares import Share
    from baker.stages import Stage

GIGABYTE = 10**9
LEAST_FREE, GOOD_FREE = 3 * GIGABYTE, 30 * GIGABYTE
STAGING = "baker-building"
TARBALL = "{target}.tar"


def build_images(
    request: Request, environment: Mapping[str, str], console: Console, *, force: bool = False
) -> tuple[Receipt, ...]:
    """Build, verify and tag the images of some services, unless they are here and nothing has changed.

    Tags move last and together: when anything fails or Ctrl-C comes, the old ones are as they were.
    """
    if not force and (unchanged := current.receipts(request)):
        console.print("nothing has changed since these images were built; --force builds them anyway", highlight=False)
        return unchanged
    buildx = build.require_buildx()
    here = engine.describe()
    builders = request.settings.builders
    if request.epoch is not None:
        exporters.require(builders, here, "--reproducible")
    check_disk(here, console)
    link = build.knows_link(builders, here.version)
    prepared = prepare.prepare(request, prepare.choose(request, console, link=link, make_root=True))
    planned = prepared.plan
    context = prepare.context(request, planned)
    prepare.write(request, prepared, context)
    console.print(f"docker {here.version}, buildx {buildx}; the whole log: {_log(request)}", highlight=False)
    staged = {image.target: staging(request.settings, image.target) for image in planned.services}
    times: list[build.StageTime] = []
    try:
        for each in shares.deal(builders, tuple(staged), registrycache.targets(planned, request.settings)):
            shares.make(each, partial(_bake, request, prepared, here, environment, console, times))
        if request.epoch is not None:
            for target in staged:
                engine.load(context / TARBALL.format(target=target))
        for image in planned.services:
            reference = staged[image.target]
            before = receipt.read(image.target, request.receipts)
            known = before is not None and verify.foundation(reference, image) == before.foundation != ""
            checks = verify.check(
                reference, image, known=known, fresh=True, state=request.project.state, say=console.print
            )
            verify.require(reference, checks)
        return tuple(finish(request, prepared, image, times, link=link) for image in planned.services)
    except KeyboardInterrupt as stop:
        raise InterruptedBuildError("interrupted: the build was ended and the tags are as they were") from stop
    finally:
        for target in staged:
            (context / TARBALL.format(target=target)).unlink(missing_ok=True)
        for reference in staged.values():
            engine.untag(reference)


def _bake(
    request: Request,
    prepared: Prepared,
    here: engine.Engine,
    environment: Mapping[str, str],
    console: Console,
    times: list[build.StageTime],
    share: Share,
    started: Callable[[Process], None],
) -> None:
    """Build one builder's share, and remember what it has made."""
    settings, planned = request.settings, prepared.plan
    several = len(settings.builders) > 1
    argv = build.arguments(
        builder=share.builder,
        secrets=secrets.collect(settings, environment),
        output=output(here, settings),
        tags={target: staging(settings, target) for target in share.images},
        caches=registrycache.options(planned, settings),
        contexts=prepare.contexts(request, share.builder, planned, here),
        more=share.binaries,
        epoch=request.epoch,
    )
    own: list[build.StageTime] = []
    made: tuple[Stage, ...] = ()
    try:
        build.bake(
            argv,
            context=prepare.context(request, planned),
            log=_log(request, share if several else None),
            console=console,
            seen=own.extend,
            label=share.builder if several else "",
            started=started,
        )
        made = prepared.needed(share.images)
    finally:
        times.extend(own)
        made = made or prepared.named(time.name for time in own)
        ledger.record(request.project.state, prepare.builder(share.builder, here), made, own)


def _log(request: Request, share: Share | None = None) -> Path:
    what = f"-{share.builder}{'' if share.images else '-binaries'}" if share else ""
    return request.project.state / f"build{what}.log"


def plan_images(request: Request, console: Console) -> tuple[Outlook, ...]:
    """Say what a build of some services would do with each stage, and why; nothing is built."""
    here = engine.describe()
    link = build.knows_link(request.settings.builders, here.version)
    prepared = prepare.prepare(request, prepare.choose(request, console, link=link, make_root=False))
    by = [prepare.builder(name, here) for name in request.settings.builders or ("",)]
    made = [entry for entry in ledger.read(request.project.state) if entry.builder in by]
    labels = {digest for found in engine.labels("dev.baker.stages") for digest in prepare.labelled(found)}
    return forecast.forecast(prepared.needed(), request.targets, made, labels)


def finish(
    request: Request, prepared: Prepared, image: ImagePlan, times: Sequence[build.StageTime], *, link: bool
) -> Receipt:
    """Give a verified image its tags and write its receipt."""
    planned, settings = prepared.plan, request.settings
    names = bakefile.names(planned, settings, image.name)
    for name in names:
        engine.tag(staging(settings, image.target), name)
    found = engine.image(names[0])
    if found is None:
        raise EngineError(f"{names[0]} has gone from the image store; build again")
    done = receipt.Receipt(
        service=image.target,
        image=names[0],
        digest=found.id,
        size=engine.uncompressed_size(names[0]),
        base=planned.base,
        accel=planned.accel,
        crate=f"{image.crate.name} {image.crate.version}",
        inputs=prepared.inputs(image),
        foundation=verify.foundation(names[0], image),
        checks=verify.wanted(image),
        link=link,
        export=current.export(request),
        stages=tuple(times),
    )
    receipt.write(done, request.receipts)
    return done


def verify_images(request: Request, console: Console) -> dict[str, tuple[verify.Check, ...]]:
    """Check the tagged images of some services; the result is by image."""
    planned = prepare.make_plan(request, prepare.choose(request, console, link=True, make_root=False))
    results = {}
    for image in planned.services:
        reference = bakefile.names(planned, request.settings, image.name)[0]
        results[reference] = verify.check(reference, image, state=request.project.state, say=console.print)
    return results


def verify_references(
    references: Sequence[str], state: Path | None, console: Console
) -> dict[str, tuple[verify.Check, ...]]:
    """Check images of any registry by what their labels say; the result is by image. One that is not here is pulled."""
    results = {}
    for reference in references:
        with verify.present(reference):
            results[reference] = verify.check_image(reference, state, console.print)
    return results


def require_all(results: Mapping[str, tuple[verify.Check, ...]]) -> None:
    """Raise VerifyError for the first image that failed a check."""
    for reference, checks in results.items():
        verify.require(reference, checks)


def staging(settings: Settings, target: str) -> str:
    """Return the name that an image has until it is verified."""
    return f"{bakefile.image_name(replace(settings, registry=''), target)}:{STAGING}"


def output(here: engine.Engine, settings: Settings) -> str:
    """Return the exporter that loads the images into the local store."""
    exporter = f"type=docker,compression={settings.compression}" if here.containerd_store else "type=docker"
    if here.containerd_store and settings.compression == "zstd":
        # Docker's own media types have no zstd: what is pushed under them cannot be pulled.
        exporter += ",oci-mediatypes=true"
    # The engine's own store takes no rewritten layers from its builder, only by way of a tarball.
    return exporter + (f",rewrite-timestamp=true,dest={TARBALL}" if settings.reproducible else "")


def check_disk(here: engine.Engine, console: Console) -> None:
    """Refuse to start on a full disk and warn on a small one; an engine on another machine is not looked at."""
    root = here.root
    if not here.local or not Path(root).exists():
        return
    free = shutil.disk_usage(root).free
    if free < LEAST_FREE:
        raise EngineError(
            f"only {free / GIGABYTE:.1f} GB are free under {root}; a first build takes about 45 GB. "
            "`docker system df` and `docker buildx du` show what takes the room"
        )
    if free < GOOD_FREE:
        console.print(f"note: {free / GIGABYTE:.0f} GB are free under {root}; a first build takes about 45 GB")
