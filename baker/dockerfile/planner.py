"""Planning: services, pins and options become stages and images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from baker.config import cards, uvlock
from baker.config.cardtable import table
from baker.config.cargo import package
from baker.dockerfile import extensions, labels, owncrate, projects, requirements, target_cache, toolkits
from baker.dockerfile.bases import BASES, base_images
from baker.dockerfile.plan import CROSS, BaseImages, BinaryPlan, ContextFile, CopyPlan, ImagePlan, Plan, ToolPlan
from baker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from baker.config.pins import Pins
    from baker.config.service import File, Service
    from baker.config.settings import Mirrors
    from baker.dockerfile.bases import Base
    from baker.dockerfile.choice import Choice
    from baker.dockerfile.plan import CratePlan, ExtensionPlan, Interpreter

BIN = "/opt/baker/bin"


def make(services: Sequence[Service], pins: Pins, mirrors: Mirrors, choice: Choice, root: Path) -> Plan:
    """Plan the images of some services. `root` is the folder that the services' files lie under.

    Raises:
        UsageError: the services cannot be baked together, or the toolkit is none that the crate builds with, or it
            does not know a capability.
        LockError: a crate is not pinned.
    """
    base = BASES[choice.base]
    images = base_images(pins, mirrors, choice)
    inside, python = partial(_inside, root), base.interpreter(pins, choice.platform)
    planned = {service.name: owncrate.plan(service.crate, pins, inside, root.resolve()) for service in services}
    crates = {service.crate.name: planned[service.name] for service in services}
    cuda = toolkits.release(services, pins, choice, crates)
    toolkit = toolkits.plan(services, choice.base, inside) if cuda else None
    planner = _Planner(
        pins=pins,
        choice=choice,
        mirrors=mirrors,
        cuda=cuda,
        root=root,
        images=images,
        python=python,
        crates=planned,
        extensions={service.name: extensions.plan(service, python.version, choice) for service in services},
    )
    binaries: dict[str, BinaryPlan] = {}
    for service in services:
        for binary in planner.binaries(service):
            if binaries.setdefault(binary.stage, binary) != binary:
                raise UsageError(
                    f"{service.folder}: another service bakes the crate {service.crate.name} with other features or "
                    "libraries; services that share a crate share its binary, so give them the same [crate] table"
                )
    tools = {tool.binary: tool for service in services for tool in planner.tools(service)}
    return Plan(
        base=choice.base,
        accel=choice.accel,
        link=choice.link,
        platform=choice.platform,
        build_platform=choice.build_platform,
        local=choice.local,
        cuda=cuda,
        toolkit=toolkit,
        driver_floor=cards.driver_floor(cuda) if cuda else "",
        drivers=cards.drivers(cuda) if cuda else (),
        bf16_from=table().bf16_from,
        refused=cards.refused() if cuda else (),
        distribution=base.distribution(pins),
        images=images,
        mirrors=mirrors,
        downloads=choice.downloads,
        python=python,
        with_python=any(service.python for service in services),
        with_git=any(service.python and uvlock.from_git(service.python.project) for service in services),
        site_packages=python.site_packages,
        uv=pins.uv,
        rust=pins.rust,
        debian=pins.debian,
        crates=tuple(crates[name] for name in sorted(crates)),
        binaries=tuple(binaries[stage] for stage in sorted(binaries)),
        tools=tuple(tools[name] for name in sorted(tools)),
        projects=projects.plan(services, planner.on_gpu, inside, planner.extensions),
        services=tuple(planner.image(service) for service in services),
        context=planner.context(services),
        versions={
            **{f"crate {name}": crate.version for name, crate in sorted(crates.items())},
            **{f"compute capability {each.capability / 10}": str(each.capability) for each in binaries.values()},
            **base.versions(images, pins),
            "CUDA": cuda,
            "Python": pins.python.version,
            "uv": pins.uv.version,
        },
    )


@dataclass(frozen=True, kw_only=True)
class _Planner:
    """The inputs that every part of a plan depends on."""

    pins: Pins
    choice: Choice
    mirrors: Mirrors
    cuda: str
    root: Path
    images: BaseImages
    python: Interpreter
    # Of each service, by its name.
    crates: Mapping[str, CratePlan]
    extensions: Mapping[str, tuple[ExtensionPlan, ...]]

    @property
    def base(self) -> Base:
        return BASES[self.choice.base]

    def crate(self, service: Service) -> CratePlan:
        return self.crates[service.name]

    def on_gpu(self, service: Service) -> bool:
        crate = service.crate
        return bool(self.cuda) and bool(crate.features["cuda"] or crate.links["cuda"])

    @property
    def cross(self) -> bool:
        return self.choice.platform != self.choice.build_platform

    def toolchain(self, service: Service) -> str:
        """Return the stage that compiles a crate for the images' platform, with the Rust that it wants."""
        compiler = self.base.compiler(self.pins, self.crate(service))
        return f"toolchain{'-cuda' if self.on_gpu(service) else ''}{compiler}{CROSS if self.cross else ''}"

    def build_packages(self, service: Service) -> tuple[str, ...]:
        """Return the packages of a compile, sorted: libraries, which have to be those of the images' platform."""
        names = sorted(service.crate.build_packages[self.choice.base])
        return tuple(f"{name}:{self.choice.platform.architecture}" if self.cross else name for name in names)

    def binaries(self, service: Service) -> tuple[BinaryPlan, ...]:
        crate, gpu = service.crate, self.on_gpu(service)
        accel = "cuda" if gpu else "cpu"
        linked = service.python.libraries if service.python and gpu else ()
        rpath = (
            *(f"{self.python.site_packages}/{folder}" for folder in projects.folders(linked)),
            *((self.python.libdir,) if crate.embeds_python else ()),
        )
        libpython = (self.python.soname,) if crate.embeds_python else ()
        return tuple(
            BinaryPlan(
                stage=f"binary-{crate.name}-{variant}",
                toolchain=self.toolchain(service),
                packages=self.build_packages(service),
                crate=self.crate(service),
                variant=variant,
                capability=capability,
                features=crate.features[accel],
                links=(*crate.links[accel], *libpython),
                rpath=rpath,
                embeds_python=crate.embeds_python,
                cache=target_cache.name(
                    self.crate(service),
                    choice=self.choice,
                    cuda=self.cuda if gpu else "",
                    pins=self.pins,
                    mirrors=self.mirrors,
                ),
            )
            for capability in (self.choice.capabilities if gpu else (0,))
            for variant in [f"cuda-{capability}" if gpu else "cpu"]
        )

    def tools(self, service: Service) -> tuple[ToolPlan, ...]:
        return tuple(ToolPlan(binary=package(folder), context=self.inside(folder)) for folder in service.image.tools)

    def image(self, service: Service) -> ImagePlan:
        image, binaries = service.image, self.binaries(service)
        gpu, python = self.on_gpu(service), service.python
        program = f"{BIN}/{service.crate.binary}-{binaries[-1].variant}"
        with_libraries = python is not None and bool(python.libraries) and gpu
        venv = python is not None and python.venv
        env = {"HOME": image.workdir, "USER": "moshi", **dict(image.env)}
        if venv:
            env["PATH"] = "/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        builder = self.choice.variant == "builder"
        entrypoint = ("/usr/bin/tini", "--", image.start or program)
        ptx = cards.ptx(self.cuda, self.choice.capabilities) if gpu and service.crate.ptx else ""
        required = requirements.of(
            service, self.packages(service), entrypoint, builder=builder, ptx=ptx, cuda=self.cuda if gpu else ""
        )
        identity = labels.identity(
            service,
            version=self.crate(service).version,
            base=self.choice.base,
            capabilities=self.choice.capabilities if gpu else (),
            cuda=self.cuda if gpu else "",
            driver_floor=cards.driver_floor(self.cuda) if gpu else "",
            python=self.python.version,
        )
        origins = labels.origins(self.base.origin(self.images), service.licenses)
        every = identity | owncrate.told(self.crate(service)) | origins | required.as_labels()
        told = tuple((key, value) for key, value in sorted(every.items()) if value)
        return ImagePlan(
            name=service.name,
            target=f"{service.name}-builder" if builder else service.name,
            builder=binaries[-1] if builder else None,
            description=service.description or service.title,
            runtime=f"runtime-{python.project.name}" if python and with_libraries else "runtime",
            crate=self.crate(service),
            features=binaries[0].features,
            capabilities=self.choice.capabilities if gpu else (),
            packages=self.packages(service),
            folders=(image.workdir, BIN, *image.folders),
            mounts=image.mounts,
            environment=tuple(self.environment(service)),
            copies=tuple(self.copies(service)),
            env=tuple(sorted(env.items())),
            workdir=image.workdir,
            port=image.port,
            health=image.health,
            labels=told,
            entrypoint=entrypoint,
            command=image.command,
            requirements=replace(required, labels=told),
        )

    def packages(self, service: Service) -> tuple[str, ...]:
        """Return the packages that only this service's image has, sorted."""
        packages, python = service.image.packages[self.choice.base], service.python
        if python and python.venv:
            packages += self.base.environment_packages(self.python.version)
        return tuple(sorted(packages))

    def environment(self, service: Service) -> list[CopyPlan]:
        """Return the venv's layers and the interpreter, of a service that has a venv."""
        found, python, interpreter = [], service.python, self.python
        if python and python.venv:
            stage = f"venv-{python.project.name}"
            layers = [*(str(number) for number in range(1, len(python.layers) + 1)), "rest"]
            found += [_copy(stage, f"/layers/{layer}", "/") for layer in layers]
            if interpreter.folder:
                found.append(_copy("python", interpreter.folder, interpreter.folder))
        return found

    def copies(self, service: Service) -> list[CopyPlan]:
        """What changes least first: libpython, the binary, this project's own files."""
        found, python, interpreter = [], service.python, self.python
        if not (python and python.venv) and service.crate.embeds_python:
            library = f"{interpreter.libdir}/{interpreter.soname}"
            found.append(_copy("python", library, library))
            if interpreter.record:
                found.append(_copy("python", interpreter.record, interpreter.record))
        if self.on_gpu(service):
            found.append(_copy(self.toolchain(service), "/stubs", "/opt/baker/stubs"))
        for binary in self.binaries(service):
            program = service.crate.binary
            found.append(_copy(binary.stage, f"/out/bin/{program}", f"{BIN}/{program}-{binary.variant}"))
        # What was compiled from it, for the bill of materials.
        folders = {f"crate-{service.crate.name}": f"{service.crate.name}-{self.crate(service).version}"}
        folders |= {f"sdist-{each.name}": each.folder for each in self.extensions[service.name]}
        for stage, folder in folders.items():
            found.append(_copy(stage, f"/crate/{folder}/Cargo.lock", f"/opt/baker/crates/{folder}/Cargo.lock"))
        found += [_copy(f"tool-{tool.binary}", f"/out/bin/{tool.binary}", f"{BIN}/") for tool in self.tools(service)]
        found.append(_copy("", f"services/{service.name}/image.env", "/opt/baker/image.env", "0644"))
        return found + [_copy("", self.inside(file.source), file.target, file.mode) for file in self.files(service)]

    def files(self, service: Service) -> tuple[File, ...]:
        """Return what a service's image gets of the project's own files."""
        page = service.image.page
        return (*((page,) if page and self.choice.page else ()), *service.image.files)

    def context(self, services: Sequence[Service]) -> tuple[ContextFile, ...]:
        sources: set[Path] = set()
        for service in services:
            sources.update(service.image.tools)
            sources.update(file.source for file in self.files(service))
            sources.update(service.crate.patches)
            sources.update(path for path in (service.crate.path, service.crate.lock) if path)
            if service.python:
                sources.update(service.python.project / name for name in ("pyproject.toml", "uv.lock"))
        root = self.root.resolve()
        return tuple(ContextFile(source=source, target=self.inside(source), root=root) for source in sorted(sources))

    def inside(self, path: Path) -> str:
        """Return the place of a project's file in the build context."""
        return _inside(self.root, path)


def _copy(stage: str, source: str, target: str, mode: str = "") -> CopyPlan:
    return CopyPlan(stage=stage, source=source, target=target, mode=mode)


def _inside(root: Path, path: Path) -> str:
    try:
        return f"services/{path.relative_to(root)}"
    except ValueError:
        raise UsageError(f"{path} lies outside of {root}; a service's files are under services/") from None
