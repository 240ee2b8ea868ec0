"""Planning: services, pins and options become stages and images."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker import labels
from baker.errors import UsageError
from baker.plan import (
    BaseImages,
    BinaryPlan,
    ContextFile,
    CopyPlan,
    CratePlan,
    ImagePlan,
    Interpreter,
    Plan,
    ProjectPlan,
    ToolPlan,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from baker.pins import Pins
    from baker.plan import Choice
    from baker.settings import Mirrors
    from baker.spec import Service

# The oldest Linux driver that takes the PTX of a toolkit (CUDA release notes, table "CUDA Toolkit and corresponding
# driver versions"); cudarc 0.16.2 builds with these toolkits and no others.
DRIVER_FLOOR = {"12.4": "550.54.14", "12.5": "555.42.02", "12.6": "560.28.03", "12.8": "570.26"}
BIN = "/opt/baker/bin"


def make(services: Sequence[Service], pins: Pins, mirrors: Mirrors, choice: Choice, root: Path) -> Plan:
    """Plan the images of some services. `root` is the folder that the services' files lie under.

    Raises:
        UsageError: the services cannot be baked together, or the toolkit is none that the crate builds with.
        LockError: a crate is not pinned.
    """
    cuda = toolkit(pins.nvidia.cuda if choice.base == "nvidia" else pins.debian.cuda) if choice.accel == "cuda" else ""
    planner = _Planner(pins=pins, choice=choice, cuda=cuda, root=root, python=_interpreter(pins, choice.base))
    crates = {service.crate.name: planner.crate(service) for service in services}
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
        link="--link " if choice.link else "",
        cuda=cuda,
        driver_floor=DRIVER_FLOOR[cuda] if cuda else "",
        distribution=f"debian-{pins.debian.suite}" if choice.base == "debian" else "nvidia",
        images=BaseImages(
            root=choice.root,
            devel=mirrored(pins.nvidia.devel, mirrors.registry),
            runtime=mirrored(pins.nvidia.runtime, mirrors.registry),
        ),
        mirrors=mirrors,
        python=planner.python,
        with_python=any(service.python for service in services),
        site_packages=planner.site_packages,
        uv=pins.uv,
        rust=pins.rust,
        debian=pins.debian,
        crates=tuple(crates[name] for name in sorted(crates)),
        binaries=tuple(binaries[stage] for stage in sorted(binaries)),
        tools=tuple(tools[name] for name in sorted(tools)),
        projects=planner.projects(services),
        services=tuple(planner.image(service) for service in services),
        context=planner.context(services),
    )


def toolkit(version: str) -> str:
    """Return the X.Y of a CUDA toolkit that moshi-server builds with, or raise UsageError."""
    short = ".".join(version.split(".")[:2])
    if short not in DRIVER_FLOOR:
        raise UsageError(
            f"CUDA {version} in baker.lock: cudarc 0.16.2, which moshi-server's lock holds, builds with "
            f"{', '.join(DRIVER_FLOOR)} only; pin one of those"
        )
    return short


def mirrored(reference: str, registry: str) -> str:
    """Return an image reference that goes through a mirror's prefix; without one it is left as it is."""
    return f"{registry.rstrip('/')}/{reference}" if registry else reference


def _interpreter(pins: Pins, base: str) -> Interpreter:
    version = pins.python.version
    home = "/usr" if base == "debian" else f"/opt/python/cpython-{pins.python.managed}-linux-x86_64-gnu"
    return Interpreter(
        version=version,
        managed=pins.python.managed,
        home=home,
        executable=f"{home}/bin/python{version}",
        libdir=f"{home}/lib/x86_64-linux-gnu" if base == "debian" else f"{home}/lib",
        soname=f"libpython{version}.so.1.0",
    )


@dataclass(frozen=True, kw_only=True)
class _Planner:
    """The inputs that every part of a plan depends on."""

    pins: Pins
    choice: Choice
    cuda: str
    root: Path
    python: Interpreter

    @property
    def site_packages(self) -> str:
        return f"/opt/venv/lib/python{self.python.version}/site-packages"

    def crate(self, service: Service) -> CratePlan:
        pin = self.pins.crate(service.crate.name)
        name, binary = service.crate.name, service.crate.binary
        return CratePlan(name=name, version=pin.version, sha256=pin.sha256, binary=binary)

    def on_gpu(self, service: Service) -> bool:
        crate = service.crate
        return bool(self.cuda) and bool(crate.features["cuda"] or crate.links["cuda"])

    def binaries(self, service: Service) -> tuple[BinaryPlan, ...]:
        crate, gpu = service.crate, self.on_gpu(service)
        accel = "cuda" if gpu else "cpu"
        rust = self.pins.debian.rust if self.choice.base == "debian" else self.pins.rust.toolchain
        suite = self.pins.debian.suite if self.choice.base == "debian" else "ubuntu"
        linked = service.python.libraries if service.python and gpu else ()
        rpath = (
            *(f"{self.site_packages}/{folder}" for folder in linked),
            *((self.python.libdir,) if crate.embeds_python else ()),
        )
        libpython = (self.python.soname,) if crate.embeds_python else ()
        return tuple(
            BinaryPlan(
                stage=f"binary-{crate.name}-{variant}",
                toolchain="toolchain-cuda" if gpu else "toolchain",
                crate=self.crate(service),
                variant=variant,
                capability=capability,
                features=crate.features[accel],
                links=(*crate.links[accel], *libpython),
                rpath=rpath,
                embeds_python=crate.embeds_python,
                cache=f"{self.choice.base}-{suite}-rust{rust}-{f'cuda{self.cuda}' if gpu else 'cpu'}",
            )
            for capability in (self.choice.capabilities if gpu else (0,))
            for variant in [f"cuda-{capability}" if gpu else "cpu"]
        )

    def tools(self, service: Service) -> tuple[ToolPlan, ...]:
        return tuple(ToolPlan(binary=_package(folder), context=self.inside(folder)) for folder in service.image.tools)

    def projects(self, services: Sequence[Service]) -> tuple[ProjectPlan, ...]:
        found: dict[str, ProjectPlan] = {}
        for service in services:
            python = service.python
            if python is None:
                continue
            old = found.get(python.project.name)
            libraries = python.libraries if self.on_gpu(service) else ()
            groups = " ".join(f"--group {group}" for group in python.groups)
            found[python.project.name] = ProjectPlan(
                name=python.project.name,
                context=self.inside(python.project),
                venv=python.venv or bool(old and old.venv),
                groups=groups if python.venv or old is None else old.groups,
                libraries=libraries or (old.libraries if old else ()),
                libraries_group=python.libraries_group,
                unused=python.unused,
                layers=python.layers or (old.layers if old else ()),
            )
        return tuple(found[name] for name in sorted(found))

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
            imports=service.imports,
            embeds_python=service.crate.embeds_python,
            unresolved=service.allowed.unresolved,
            duplicates=service.allowed.duplicates,
            folders=(image.workdir, BIN, *image.folders),
            mounts=image.mounts,
            copies=tuple(self.copies(service)),
            env=tuple(sorted(env.items())),
            workdir=image.workdir,
            port=image.port,
            health=image.health,
            labels=labels.make(
                service,
                version=self.pins.crate(service.crate.name).version,
                choice=self.choice,
                cuda=self.cuda if gpu else "",
                driver_floor=DRIVER_FLOOR[self.cuda] if gpu else "",
                python=self.python.version,
                packages=self.packages(service),
            ),
            entrypoint=("/usr/bin/tini", "--", image.start or program),
            command=image.command,
            budget=0 if builder else image.budget,
        )

    def packages(self, service: Service) -> tuple[str, ...]:
        """Return the packages that only this service's image has, sorted."""
        packages, python = service.image.packages[self.choice.base], service.python
        if python and python.venv and self.choice.base == "debian":
            packages += (f"libpython{self.python.version}-dev", f"python{self.python.version}")
        return tuple(sorted(packages))

    def copies(self, service: Service) -> list[CopyPlan]:
        """What changes least first: the venv, the interpreter, the binary, this project's own files."""

        def copy(stage: str, source: str, target: str, mode: str = "") -> CopyPlan:
            return CopyPlan(stage=stage, source=source, target=target, mode=mode)

        found, python, interpreter = [], service.python, self.python
        if python and python.venv:
            stage = f"venv-{python.project.name}"
            layers = [*(str(number) for number in range(1, len(python.layers) + 1)), "rest"]
            found += [copy(stage, f"/layers/{layer}", "/") for layer in layers]
            if self.choice.base == "nvidia":
                found.append(copy("python", "/opt/python", "/opt/python"))
        elif service.crate.embeds_python:
            library = f"{interpreter.libdir}/{interpreter.soname}"
            found.append(copy("python", library, library))
        if self.on_gpu(service):
            found.append(copy("toolchain-cuda", "/stubs", "/opt/baker/stubs"))
        for binary in self.binaries(service):
            program = service.crate.binary
            found.append(copy(binary.stage, f"/out/bin/{program}", f"{BIN}/{program}-{binary.variant}"))
        # What the binary was compiled from, for the bill of materials.
        lock = f"{service.crate.name}-{self.crate(service).version}/Cargo.lock"
        found.append(copy(f"crate-{service.crate.name}", f"/crate/{lock}", f"/opt/baker/crates/{lock}"))
        found += [copy(f"tool-{tool.binary}", f"/out/bin/{tool.binary}", f"{BIN}/") for tool in self.tools(service)]
        found.append(copy("", f"services/{service.name}/image.env", "/opt/baker/image.env", "0644"))
        return found + [copy("", self.inside(file.source), file.target, file.mode) for file in service.image.files]

    def context(self, services: Sequence[Service]) -> tuple[ContextFile, ...]:
        sources: set[Path] = set()
        for service in services:
            sources.update(service.image.tools)
            sources.update(file.source for file in service.image.files)
            if service.python:
                sources.update(service.python.project / name for name in ("pyproject.toml", "uv.lock"))
        return tuple(ContextFile(source=source, target=self.inside(source)) for source in sorted(sources))

    def inside(self, path: Path) -> str:
        """Return the place of a project's file in the build context."""
        try:
            return f"services/{path.relative_to(self.root)}"
        except ValueError:
            raise UsageError(f"{path} lies outside of {self.root}; a service's files are under services/") from None


def _package(folder: Path) -> str:
    manifest = folder / "Cargo.toml"
    if not manifest.exists():
        raise UsageError(f"{folder}: no Cargo.toml there; a tool is a cargo project")
    name = tomllib.loads(manifest.read_text(encoding="utf-8")).get("package", {}).get("name")
    if not isinstance(name, str):
        raise UsageError(f"{manifest}: it has no [package] name")
    return name
