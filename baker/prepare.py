"""Everything before BuildKit: what was asked for becomes a plan, a build context and the digests of its stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker import bakefile, bases, build, engine, locks, plan, planner, render, reproducible, run, stages
from baker.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from baker.bases import Root
    from baker.pins import Pins
    from baker.plan import Choice, ImagePlan, Plan
    from baker.project import Project
    from baker.render import Rendered
    from baker.settings import Settings
    from baker.spec import Service
    from baker.stages import Stage


@dataclass(frozen=True, kw_only=True)
class Request:
    """A build as asked for on the command line, over the project's settings."""

    project: Project
    settings: Settings
    services: tuple[Service, ...]

    @property
    def receipts(self) -> Path:
        """The folder of the receipts."""
        return self.project.state / "receipts"

    @property
    def epoch(self) -> int | None:
        """The time of everything in the images, in seconds since 1970; None leaves each its own."""
        return reproducible.epoch(self.project.pins().debian) if self.settings.reproducible else None

    @property
    def targets(self) -> tuple[str, ...]:
        """The stages that become images."""
        suffix = "-builder" if self.settings.variant == "builder" else ""
        return tuple(service.name + suffix for service in self.services)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A plan, its build context without a bake file, and the stages of its Dockerfile."""

    plan: Plan
    files: tuple[Rendered, ...]
    stages: tuple[Stage, ...]

    def inputs(self, image: ImagePlan) -> str:
        """Return the digest of all that an image comes from."""
        return next(stage.whole for stage in self.stages if stage.name == image.target)

    def needed(self, targets: Sequence[str] | None = None) -> tuple[Stage, ...]:
        """Return the stages that images are made from, and those that become images; without targets, of all."""
        wanted = [image.target for image in self.plan.services] if targets is None else targets
        return self.named(stage.name for target in wanted for stage in stages.needed(self.stages, target))

    def named(self, names: Iterable[str]) -> tuple[Stage, ...]:
        """Return the stages of these names, in the Dockerfile's order."""
        wanted = set(names)
        return tuple(stage for stage in self.stages if stage.name in wanted)


def choose(request: Request, console: Console, *, link: bool, make_root: bool) -> Choice:
    """Decide the base; make Debian's root image when it is needed and missing."""
    settings = request.settings
    base, why = bases.choose(settings.base, settings.mirrors.registry, bases.reaches)
    console.print(why, highlight=False)
    if base == "debian" and make_root:
        bases.ensure(_root(request), console.print)
    return choice(request, base, link=link)


def choice(request: Request, base: str, *, link: bool) -> Choice:
    """Return the choice that a request makes on a base."""
    settings = request.settings
    return plan.Choice(
        base=base,
        accel=settings.accel,
        capabilities=settings.capabilities,
        root=_root(request).reference,
        link=link,
        variant=settings.variant,
    )


def _root(request: Request) -> Root:
    return bases.root(request.project.pins().debian, request.settings.mirrors)


def make_plan(request: Request, choice: Choice, *, look: Callable[[Path, Pins], None] = locks.check) -> Plan:
    """Look at the locks of the services' Python projects, and plan."""
    pins = request.project.pins()
    for project in sorted({service.python.project for service in request.services if service.python}):
        look(project, pins)
    return planner.make(request.services, pins, request.settings.mirrors, choice, request.project.services_folder)


def prepare(request: Request, choice: Choice, *, again: bool = False) -> Prepared:
    """Plan and render. Where it has been built before, `again` leaves out what that looked at: a lock's fit, names."""
    planned = make_plan(request, choice, look=locks.check_digest if again else locks.check)
    files = render.render(planned, request.project.state / "templates" if again else None)
    return Prepared(plan=planned, files=files, stages=stages.read(files, None if again else planned.versions))


def context(request: Request, planned: Plan) -> Path:
    """Return the folder of a plan's build context."""
    return request.project.state / "context" / f"{planned.base}-{planned.accel}"


def write(request: Request, prepared: Prepared, folder: Path) -> None:
    """Write the build context with its bake file, whose labels say what each image was made from."""
    commit = revision(request.project.root)
    labels = {
        image.target: {
            "dev.baker.inputs": prepared.inputs(image),
            "dev.baker.stages": " ".join(
                f"{stage.name}={stage.layers}" for stage in stages.needed(prepared.stages, image.target)
            ),
            **({"org.opencontainers.image.revision": commit} if commit else {}),
        }
        for image in prepared.plan.services
    }
    bake = render.text("docker-bake.json", bakefile.make(prepared.plan, request.settings, labels))
    render.write((*prepared.files, bake), folder)


def labelled(labels: Mapping[str, str]) -> set[str]:
    """Return the digests of stages that an image's labels name: write() put them there."""
    pairs = labels.get("dev.baker.stages", "").split()
    return {labels.get("dev.baker.inputs", ""), *(pair.partition("=")[2] for pair in pairs)}


def contexts(request: Request, builder: str, planned: Plan, here: engine.Engine) -> dict[str, str]:
    """Return where a builder finds the images that only the engine has."""
    root = planned.images.root
    if planned.base != "debian" or build.driver(builder, here.version, build.LINK)[0] == "docker":
        return {}
    return {root: bases.layout(root, (request.project.state / "root" / root.replace(":", "-")).resolve())}


def builder(name: str, here: engine.Engine) -> str:
    """Return what tells one builder's cache from another's."""
    return f"{name or 'default'} {here.id}"


def revision(folder: Path) -> str:
    """Return the commit of the checkout that a folder lies in; empty where it is none."""
    try:
        return run.capture(["git", "-C", str(folder), "rev-parse", "HEAD"]).strip()
    except CommandError:
        return ""
