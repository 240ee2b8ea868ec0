"""From services to tagged images: the stages of `baker build`, in a few lines."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from baker import bakefile, bases, build, engine, locks, plan, planner, receipt, render, run, secrets, verify
from baker.errors import CommandError, EngineError, InterruptedBuildError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from baker.plan import Choice, ImagePlan, Plan
    from baker.project import Project
    from baker.receipt import Receipt
    from baker.settings import Settings
    from baker.spec import Service

GIGABYTE = 10**9
LEAST_FREE, GOOD_FREE = 3 * GIGABYTE, 30 * GIGABYTE
STAGING = "baker-building"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A build as asked for on the command line, over the project's settings."""

    project: Project
    settings: Settings
    services: tuple[Service, ...]


def build_images(request: Request, environment: Mapping[str, str], console: Console) -> tuple[Receipt, ...]:
    """Build, verify and tag the images of some services.

    Tags move last and together: when anything fails or Ctrl-C comes, the old ones are as they were.
    """
    buildx = build.require_buildx()
    here = engine.describe()
    check_disk(here.root, console)
    link = build.knows_link(request.settings.builder, here.version)
    planned = make_plan(request, choose(request, console, link=link, make_root=True))
    context = request.project.state / "context" / f"{planned.base}-{planned.accel}"
    digest = write_context(request, planned, context)
    log = request.project.state / "build.log"
    console.print(f"docker {here.version}, buildx {buildx}; the whole log: {log}", highlight=False)
    staged = {image.target: staging(request.settings, image.target) for image in planned.services}
    argv = build.arguments(
        builder=request.settings.builder,
        secrets=secrets.collect(request.settings, environment),
        output=output(here, request.settings),
        tags=staged,
    )
    try:
        stages = build.bake(argv, context=context, log=log, console=console)
        for image in planned.services:
            reference = staged[image.target]
            known = verify.foundation(reference, image) == receipt.last_foundation(image.target, receipts(request))
            verify.require(reference, verify.check(reference, image, planned, known=known))
        return tuple(finish(request, planned, image, digest, stages) for image in planned.services)
    except KeyboardInterrupt as stop:
        raise InterruptedBuildError("interrupted: the build was ended and the tags are as they were") from stop
    finally:
        for reference in staged.values():
            engine.untag(reference)


def choose(request: Request, console: Console, *, link: bool, make_root: bool) -> Choice:
    """Decide the base; make Debian's root image when it is needed and missing."""
    settings = request.settings
    base, why = bases.choose(settings.base, settings.mirrors.registry, bases.reaches)
    console.print(why, highlight=False)
    root = bases.root(request.project.pins().debian.suite, settings.mirrors)
    if base == "debian" and make_root:
        bases.ensure(root, console.print)
    return plan.Choice(
        base=base,
        accel=settings.accel,
        capabilities=settings.capabilities,
        root=root.reference,
        link=link,
        variant=settings.variant,
    )


def make_plan(request: Request, choice: Choice) -> Plan:
    """Check the locks and plan."""
    pins = request.project.pins()
    for project in sorted({service.python.project for service in request.services if service.python}):
        locks.check(project, pins)
    return planner.make(request.services, pins, request.settings.mirrors, choice, request.project.services_folder)


def write_context(request: Request, planned: Plan, folder: Path) -> str:
    """Render a plan into a folder and return the sha256 of everything in it."""
    files = render.render(planned, bakefile.make(planned, request.settings, revision(request.project.root)))
    render.write(files, folder)
    content = hashlib.sha256()
    for file in files:
        content.update(f"{file.path}\0{file.mode}\0".encode() + file.content)
    return content.hexdigest()


def finish(
    request: Request, planned: Plan, image: ImagePlan, context: str, stages: Sequence[build.StageTime]
) -> Receipt:
    """Give a verified image its tags and write its receipt."""
    name, staged = bakefile.image_name(request.settings, image.name), staging(request.settings, image.target)
    tags = bakefile.tags(planned, request.settings, image.name)
    for tag in tags:
        engine.tag(staged, f"{name}:{tag}")
    found = engine.image(f"{name}:{tags[0]}")
    if found is None:
        raise EngineError(f"{name}:{tags[0]} has gone from the image store; build again")
    done = receipt.Receipt(
        service=image.target,
        image=f"{name}:{tags[0]}",
        digest=found.id,
        size=engine.uncompressed_size(f"{name}:{tags[0]}"),
        base=planned.base,
        accel=planned.accel,
        crate=f"{image.crate.name} {image.crate.version}",
        context=context,
        foundation=verify.foundation(f"{name}:{tags[0]}", image),
        stages=tuple(stages),
    )
    receipt.write(done, receipts(request))
    return done


def receipts(request: Request) -> Path:
    """Return the folder of the receipts."""
    return request.project.state / "receipts"


def verify_images(request: Request, console: Console) -> dict[str, tuple[verify.Check, ...]]:
    """Check the tagged images of some services; the result is by image."""
    planned = make_plan(request, choose(request, console, link=True, make_root=False))
    results = {}
    for image in planned.services:
        tag = bakefile.tags(planned, request.settings, image.name)[0]
        reference = f"{bakefile.image_name(request.settings, image.name)}:{tag}"
        results[reference] = verify.check(reference, image, planned)
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
    return f"type=docker,compression={settings.compression}" if here.containerd_store else "type=docker"


def check_disk(root: str, console: Console) -> None:
    """Refuse to start on a full disk and warn on a small one; an engine on another machine is not looked at."""
    if not Path(root).exists():
        return
    free = shutil.disk_usage(root).free
    if free < LEAST_FREE:
        raise EngineError(
            f"only {free / GIGABYTE:.1f} GB are free under {root}; a first build takes about 45 GB. "
            "`docker system df` and `docker buildx du` show what takes the room"
        )
    if free < GOOD_FREE:
        console.print(f"note: {free / GIGABYTE:.0f} GB are free under {root}; a first build takes about 45 GB")


def revision(folder: Path) -> str:
    """Return the commit of the checkout that a folder lies in; empty where it is none."""
    try:
        return run.capture(["git", "-C", str(folder), "rev-parse", "HEAD"]).strip()
    except CommandError:
        return ""
