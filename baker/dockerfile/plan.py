"""The plan: what is to be baked, as a pure value that the templates lay out. planner.py makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from baker.config.pins import DebianPin, RustPin, UvPin
    from baker.config.platforms import Platform
    from baker.config.settings import Downloads, Mirrors
    from baker.dockerfile.requirements import Requirements


# What toolchains with the Rust of Debian's backports have after their name.
BACKPORTS = "-backports"
# And those that compile for another platform after that.
CROSS = "-cross"


@dataclass(frozen=True, kw_only=True)
class BaseImages:
    """Image references, mirror included: `root` of the debian base, `devel` and `runtime` of the nvidia base.

    `build_root` is the debian root of the platform that compiles.
    """

    root: str
    build_root: str
    devel: str
    runtime: str


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    """The Python that the venv is made for and that the binary embeds; the same paths in build and image.

    `stdlib` is the folder of its standard library, which says what a cross-compile has to know. `record` is a file
    about the package of a libpython that is copied, for the bill of materials; `folder` is what is copied of an
    interpreter that is no package. The last two may be empty.
    """

    version: str
    managed: str
    home: str
    executable: str
    libdir: str
    soname: str
    stdlib: str
    record: str
    folder: str

    @property
    def site_packages(self) -> str:
        """Where the packages of an environment of it are, in build and image."""
        return f"/opt/venv/lib/python{self.version}/site-packages"


@dataclass(frozen=True, kw_only=True)
class OwnCrate:
    """What makes a crate another one than a release of crates.io.

    `source` is what scripts/own-crate is told of where it comes from, and `origin` is that for people. `path`, `lock`
    and `patches` are places in the build context, empty where there is none; `told` are (path in the project, sha256)
    of the lock and of each patch.
    """

    source: tuple[str, ...]
    origin: str
    path: str
    folder: str
    lock: str
    patches: tuple[str, ...]
    told: tuple[tuple[str, str], ...]
    cudarc: str

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages that fetching it takes."""
        return (("git",) if self.source[0] == "git" else ()) + (("patch",) if self.patches else ())

    @property
    def mounts(self) -> tuple[tuple[str, str], ...]:
        """(place in the build context, path in the stage) of all that own-crate reads, the patches in their order."""
        patches = (
            (patch, f"/own/patches/{number:03}-{patch.rpartition('/')[2]}")
            for number, patch in enumerate(self.patches, 1)
        )
        return (
            *(((self.path, "/own/source"),) if self.path else ()),
            *(((self.lock, "/own/Cargo.lock"),) if self.lock else ()),
            *patches,
        )


@dataclass(frozen=True, kw_only=True)
class CratePlan:
    """A crate to fetch.

    `version` is that of crates.io; a crate of one's own has a mark after it, which no release has. `sha256` stands for
    all that it is made from. `rust` is the Rust that it wants at least, empty where nobody says.
    """

    name: str
    version: str
    sha256: str
    binary: str
    own: OwnCrate | None = None
    rust: str = ""

    @property
    def path(self) -> str:
        """Where its package lies, below /crate."""
        folder = self.own.folder if self.own else ""
        return f"{self.name}-{self.version}" + (f"/{folder}" if folder else "")


@dataclass(frozen=True, kw_only=True)
class BinaryPlan:
    """One compile. `capability` is 0 where the binary has no GPU code; `packages` are what it alone needs.

    `cache` names the folder of compiled units that later compiles start from: one for each crate and toolchain.
    """

    stage: str
    toolchain: str
    packages: tuple[str, ...]
    crate: CratePlan
    variant: str
    capability: int
    features: tuple[str, ...]
    links: tuple[str, ...]
    rpath: tuple[str, ...]
    embeds_python: bool
    cache: str

    @property
    def backports(self) -> bool:
        """Whether its Rust is that of Debian's backports."""
        return BACKPORTS in self.toolchain


@dataclass(frozen=True, kw_only=True)
class ToolPlan:
    """A small cargo project of a service that goes into its image; `context` is its folder in the build context."""

    binary: str
    context: str


@dataclass(frozen=True, kw_only=True)
class ExtensionPlan:
    """A Python package in Rust that has no wheel for the platform: its sdist, and the stage that compiles it.

    `toolchain` is the stage with the compiler, and `packages` are what it needs besides, maturin first of all.
    """

    name: str
    version: str
    url: str
    sha256: str
    toolchain: str
    packages: tuple[str, ...]

    @property
    def folder(self) -> str:
        """What its sdist unpacks to."""
        return f"{self.name}-{self.version}"


@dataclass(frozen=True, kw_only=True)
class ProjectPlan:
    """A uv project: the layers of its venv and of the libraries that binaries link.

    `extensions` are packages of the venv that have no wheel for the platform.
    """

    name: str
    context: str
    venv: bool
    groups: tuple[str, ...]
    libraries: tuple[str, ...]
    libraries_group: str
    unused: tuple[str, ...]
    layers: tuple[tuple[str, ...], ...]
    extensions: tuple[ExtensionPlan, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ToolkitPlan:
    """A CUDA toolkit from the wheels of a uv project.

    `context` is the project's folder in the build context, `groups` are uv's options for the wheels, and `home` is the
    folder of site-packages that becomes the toolkit.
    """

    context: str
    groups: str
    home: str


@dataclass(frozen=True, kw_only=True)
class CopyPlan:
    """A COPY; without a stage it copies from the build context."""

    stage: str
    source: str
    target: str
    mode: str


@dataclass(frozen=True, kw_only=True)
class ImagePlan:
    """An image: the stage `target`, and what the image must be.

    `environment` are the files that no compile makes, empty where these are small: with the packages, they are a stage
    of their own, below the image's. `copies` are all others. `builder` is the binary that its builder variant can
    compile anew, if it is one.
    """

    name: str
    target: str
    builder: BinaryPlan | None
    description: str
    runtime: str
    crate: CratePlan
    features: tuple[str, ...]
    capabilities: tuple[int, ...]
    packages: tuple[str, ...]
    folders: tuple[str, ...]
    mounts: tuple[str, ...]
    environment: tuple[CopyPlan, ...]
    copies: tuple[CopyPlan, ...]
    env: tuple[tuple[str, str], ...]
    workdir: str
    port: int
    health: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    requirements: Requirements

    @property
    def below(self) -> str:
        """The stage that the image's own is made from."""
        return f"environment-{self.name}" if self.environment else self.runtime


@dataclass(frozen=True, kw_only=True)
class ContextFile:
    """A file or folder of the project that the build context holds under `target`; links in it may lead to `root`."""

    source: Path
    target: str
    root: Path


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that the Dockerfile and the bake file say.

    `versions` are the outside versions that a Dockerfile names, by what people call them. `toolkit` is the CUDA toolkit
    where it comes from wheels; None is the base's own. `drivers` are (toolkit, least driver) of the toolkits that the
    crate builds with; cards before the capability `bf16_from` have no bf16. `refused` are (names, why) of the cards
    that the images cannot run on.
    """

    base: str
    accel: str
    link: bool
    platform: Platform
    build_platform: Platform
    local: Platform
    cuda: str
    toolkit: ToolkitPlan | None
    driver_floor: str
    drivers: tuple[tuple[str, str], ...]
    bf16_from: int
    refused: tuple[tuple[tuple[str, ...], str], ...]
    distribution: str
    images: BaseImages
    mirrors: Mirrors
    downloads: Downloads
    python: Interpreter
    with_python: bool
    with_git: bool
    site_packages: str
    uv: UvPin
    rust: RustPin
    debian: DebianPin
    crates: tuple[CratePlan, ...]
    binaries: tuple[BinaryPlan, ...]
    tools: tuple[ToolPlan, ...]
    projects: tuple[ProjectPlan, ...]
    services: tuple[ImagePlan, ...]
    context: tuple[ContextFile, ...]
    versions: dict[str, str]

    @property
    def backports(self) -> tuple[str, ...]:
        """The toolchains that also exist with the Rust of Debian's backports."""
        found = {binary.toolchain.partition(BACKPORTS)[0] for binary in self.binaries if binary.backports}
        return tuple(sorted(found))

    @property
    def toolchains(self) -> tuple[str, ...]:
        """The toolchains that something is compiled with, without the end that those for another platform have."""
        return tuple(sorted({"toolchain", *(binary.toolchain.removesuffix(CROSS) for binary in self.binaries)}))

    @property
    def archive(self) -> str:
        """Debian's archive, at the time of the pins where the mirror has times."""
        return self.mirrors.debian.replace("{snapshot}", self.debian.snapshot)

    @property
    def extensions(self) -> tuple[ExtensionPlan, ...]:
        """What of all environments has to be compiled, each once."""
        return tuple(dict.fromkeys(each for project in self.projects for each in project.extensions))

    @property
    def early(self) -> tuple[str, ...]:
        """The stages below those of images: what no compile makes."""
        return tuple(image.below for image in self.services if image.environment)

    @property
    def environments(self) -> str:
        """The stage that Python environments are installed in: Debian's interpreter is in the same place everywhere."""
        return "python-build" if self.cross and self.base == "debian" else "python"

    @property
    def cross(self) -> bool:
        """Whether binaries are compiled on another platform than they run on."""
        return self.platform != self.build_platform
