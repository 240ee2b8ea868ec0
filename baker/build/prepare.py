"""Everything before BuildKit: what was asked for becomes a plan, a build context and the digests of its stages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from baker.build import base as bases
from baker.build.revision import UNKNOWN, Revision, revision
from baker.buildkit import builder
from baker.config import uvlock, wheels
from baker.config.cuda import taken
from baker.dockerfile import bakefile, context, extensions, labels, planner, render, stages
from baker.dockerfile import root as recipes
from baker.dockerfile.choice import Choice
from baker.dockerfile.top_layers import top_layers
from baker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from baker.build.machine import Machine
    from baker.build.request import Request
    from baker.config.platforms import Platform
    from baker.config.service import Service
    from baker.dockerfile.plan import ImagePlan, Plan
    from baker.dockerfile.render import Rendered
    from baker.dockerfile.stages import Stage
    from baker.dockerfile.top_layers import TopLayer


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A build that is ready to run.

    Attributes:
        request: what was asked for; its base is decided.
        choice: what the plan was made for.
        plan: what is to be baked.
        files: the build context, without a bake file.
        stages: those of the Dockerfile in it.
        revision: the commit that it is made from.
    """

    request: Request
    choice: Choice
    plan: Plan
    files: tuple[Rendered, ...]
    stages: tuple[Stage, ...]
    revision: Revision

    @property
    def context(self) -> Path:
        """The folder of the build context."""
        name = f"{self.plan.base}-{self.plan.accel}{self.plan.platform.suffix}"
        return self.request.project.state / "context" / name

    def inputs(self, image: ImagePlan) -> str:
        """Return the digest of all that an image comes from."""
        return self._stage(image).whole

    def top(self, image: ImagePlan) -> tuple[TopLayer, ...]:
        """Return the last layers of an image, from the top; none of one with the toolchain on top."""
        return () if image.builder else top_layers(self._stage(image))

    def needed(self, targets: Sequence[str] | None = None) -> tuple[Stage, ...]:
        """Return the stages that images are made from, and those that become images; without targets, of all."""
        wanted = [image.target for image in self.plan.services] if targets is None else targets
        return self.named(stage.name for target in wanted for stage in stages.needed(self.stages, target))

    def named(self, names: Iterable[str]) -> tuple[Stage, ...]:
        """Return the stages of these names, in the Dockerfile's order."""
        wanted = set(names)
        return tuple(stage for stage in self.stages if stage.name in wanted)

    def _stage(self, image: ImagePlan) -> Stage:
        return next(stage for stage in self.stages if stage.name == image.target)


def prepare(
    request: Request,
    machine: Machine | None,
    environment: Mapping[str, str],
    say: Callable[[str], None],
    *,
    link: bool = True,
    build_platform: Platform | None = None,
    earlier: Prepared | None = None,
) -> Prepared:
    """Decide the base, check the locks, plan and render.

    Args:
        request: what was asked for.
        machine: what will build it; None where nothing is built.
        environment: that of git, and of docker's logins.
        say: is told which base is taken, and why.
        link: whether to use `COPY --link` where there is no machine to ask.
        build_platform: what compiles where there is no machine to ask; None is this machine's own.
        earlier: what as_before() made: it serves when the base and the builder are as they were.

    Raises:
        UsageError: the services cannot be baked together, or what one installs has no wheel for the platform, or
            several platforms are named.
        LockError: a pin is missing, or a lock does not fit what it locks.
        EngineError: a builder can run nothing of the platform.
    """
    if len(request.each()) > 1:
        raise UsageError(
            f"name one platform, of {', '.join(request.settings.platforms)}: only `build` and `publish` take several"
        )
    if machine:
        request = request if request.settings.platforms else request.on(machine.platform.name)
        builder.require_platform(machine.builders, request.platform)
        build_platform = machine.compiles_on(request.platform)
    settings = request.settings
    base, why = bases.choose(settings.base, settings.mirrors.registry, request.pins.nvidia, bases.missing(environment))
    say(why)
    for project in _projects(request):
        uvlock.fits(project)
    compiles_on = build_platform or request.host
    for service in request.services if machine else ():
        _require_wheels(service, request, base, compiles_on)
    chosen = choice(
        request,
        base,
        link=machine.knows_link if machine else link,
        build_platform=compiles_on,
        local=machine.local if machine else None,
    )
    made = earlier if earlier is not None and earlier.choice == chosen else make(request, chosen)
    return replace(made, revision=revision(request.project.root, environment))


def make(request: Request, chosen: Choice) -> Prepared:
    """Plan and render for a choice. Locks have to be those that baker.lock names."""
    for project in _projects(request):
        uvlock.check_digest(project, request.pins)
    on = request.on(chosen.platform.name)
    settled = replace(on, settings=replace(on.settings, base=chosen.base))
    plan = planner.make(
        request.services, request.pins, request.settings.mirrors, chosen, request.project.services_folder
    )
    files = render.render(plan)
    found = stages.read(files, plan.versions, plan.platform)
    return Prepared(request=settled, choice=chosen, plan=plan, files=files, stages=found, revision=UNKNOWN)


def choice(
    request: Request, base: str, *, link: bool, build_platform: Platform, local: Platform | None = None
) -> Choice:
    """Return the choice that a request makes on a base. `local` is the engine's platform, else this machine's."""
    settings, debian = request.settings, request.pins.debian
    return Choice(
        base=base,
        accel=settings.accel,
        capabilities=settings.capabilities,
        root=recipes.root(debian, settings.mirrors, request.platform).reference,
        build_root=recipes.root(debian, settings.mirrors, build_platform).reference,
        platform=request.platform,
        build_platform=build_platform,
        local=local or request.host,
        link=link,
        variant=settings.variant,
        downloads=settings.downloads,
        page=settings.page,
    )


def write(prepared: Prepared, folder: Path) -> None:
    """Write the build context with its bake file, whose labels say what each image was made from."""
    revision_labels = ((labels.REVISION, prepared.revision.label), (labels.SOURCE, prepared.revision.source))
    told = {
        image.target: {
            labels.INPUTS: prepared.inputs(image),
            labels.STAGES: " ".join(
                f"{stage.name}={stage.layers}" for stage in stages.needed(prepared.stages, image.target)
            ),
            **{name: value for name, value in revision_labels if value},
        }
        for image in prepared.plan.services
    }
    bake = render.text("docker-bake.json", bakefile.make(prepared.plan, prepared.request.settings, told))
    project = prepared.request.project
    if project.root.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{folder} holds the project itself: name another folder")
    context.write((*prepared.files, bake), folder, forbidden=(project.services_folder,))


def _require_wheels(service: Service, request: Request, base: str, build_platform: Platform) -> None:
    """Check that the locks of a service have a wheel of all that is installed, or raise UsageError."""
    python, version = service.python, request.pins.python.version
    if python is None:
        return
    libraries = [python.libraries_group] if python.libraries and request.settings.accel == "cuda" else []
    groups = [*libraries, *(python.groups if python.venv else ())]
    lacks = wheels.missing(python.project, groups, version, request.platform, whole=python.venv)
    left = [each for each in lacks if not extensions.compiles(each, python, base)]
    others = [release for release, its in service.toolkits.items() if {each.name for each in left} <= {*its.extensions}]
    hint = f", or with --cuda {others[0]}" if others and request.settings.accel == "cuda" and not service.cuda else ""
    wheels.require(left, python.project, request.platform, hint)
    if toolkit := taken(service):
        # The compiler runs where it compiles.
        tools = wheels.missing(toolkit.project, [*libraries, toolkit.group], version, build_platform, whole=False)
        wheels.require(tools, toolkit.project, build_platform)


def _projects(request: Request) -> list[Path]:
    return sorted({service.python.project for service in request.services if service.python})
