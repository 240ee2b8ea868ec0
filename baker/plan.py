"""The plan: what is to be baked, as a pure value that the templates lay out. planner.py makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from baker.pins import DebianPin, RustPin, UvPin
    from baker.settings import Mirrors


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the user chose.

    `capabilities` are whole numbers, 80 is 8.0; `root` is the debian base's root image;
    `link` says whether the builder knows `COPY --link`; `variant` is slim, or builder for images with the toolchain.
    """

    base: str
    accel: str
    capabilities: tuple[int, ...]
    root: str
    link: bool
    variant: str


@dataclass(frozen=True, kw_only=True)
class BaseImages:
    """Image references, mirror included: `root` of the debian base, `devel` and `runtime` of the nvidia base."""

    root: str
    devel: str
    runtime: str


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    """The Python that the venv is made for and that the binary embeds; the same paths in build and image."""

    version: str
    managed: str
    home: str
    executable: str
    libdir: str
    soname: str


@dataclass(frozen=True, kw_only=True)
class CratePlan:
    """A crate to fetch."""

    name: str
    version: str
    sha256: str
    binary: str


@dataclass(frozen=True, kw_only=True)
class BinaryPlan:
    """One compile. `capability` is 0 where the binary has no GPU code."""

    stage: str
    toolchain: str
    crate: CratePlan
    variant: str
    capability: int
    features: tuple[str, ...]
    links: tuple[str, ...]
    rpath: tuple[str, ...]
    embeds_python: bool
    cache: str


@dataclass(frozen=True, kw_only=True)
class ToolPlan:
    """A small cargo project of a service that goes into its image; `context` is its folder in the build context."""

    binary: str
    context: str


@dataclass(frozen=True, kw_only=True)
class ProjectPlan:
    """A uv project: the layers of its venv and of the libraries that binaries link."""

    name: str
    context: str
    venv: bool
    groups: str
    libraries: tuple[str, ...]
    libraries_group: str
    unused: tuple[str, ...]
    layers: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class CopyPlan:
    """A COPY; without a stage it copies from the build context."""

    stage: str
    source: str
    target: str
    mode: str


@dataclass(frozen=True, kw_only=True)
class ImagePlan:
    """An image: the stage `target`. `builder` is the binary that its builder variant can compile anew, if it is one.

    `imports` are modules that the image's environment must be able to import; none where it has no environment.
    `unresolved` and `duplicates` are patterns of paths that verify lets pass.
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
    imports: tuple[str, ...]
    embeds_python: bool
    unresolved: tuple[str, ...]
    duplicates: tuple[str, ...]
    folders: tuple[str, ...]
    mounts: tuple[str, ...]
    copies: tuple[CopyPlan, ...]
    env: tuple[tuple[str, str], ...]
    workdir: str
    port: int
    health: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    budget: int


@dataclass(frozen=True, kw_only=True)
class ContextFile:
    """A file or folder of the project that the build context holds under `target`."""

    source: Path
    target: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that the Dockerfile and the bake file say."""

    base: str
    accel: str
    link: str
    cuda: str
    driver_floor: str
    distribution: str
    images: BaseImages
    mirrors: Mirrors
    python: Interpreter
    with_python: bool
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

    @property
    def versions(self) -> dict[str, str]:
        """The outside versions that a Dockerfile names, by what people call them."""
        nvidia = {"CUDA devel image": self.images.devel, "CUDA base image": self.images.runtime}
        rust = {"Rust": self.rust.toolchain, "rustup": self.rust.rustup, "managed Python": self.python.managed}
        return {
            **{f"crate {crate.name}": crate.version for crate in self.crates},
            **{f"compute capability {binary.capability / 10}": str(binary.capability) for binary in self.binaries},
            **({**nvidia, **rust} if self.base == "nvidia" else {"root image": self.images.root}),
            "CUDA": self.cuda,
            "Python": self.python.version,
            "uv": self.uv.version,
        }
