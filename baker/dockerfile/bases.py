"""The bases: where the operating system, CUDA and the toolchains come from. One row each, behind one protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from packaging.version import Version

from baker.dockerfile.plan import BACKPORTS, BaseImages, Interpreter
from baker.errors import LockError

if TYPE_CHECKING:
    from baker.config.pins import Pins
    from baker.config.platforms import Platform
    from baker.config.settings import Mirrors
    from baker.dockerfile.choice import Choice
    from baker.dockerfile.plan import CratePlan


class Base(Protocol):
    """What planning asks of a base. Its stages are in dockerfiles/bases/NAME.j2."""

    local: bool
    wheels: bool
    """Whether it compiles with a CUDA toolkit from wheels."""
    maturin: tuple[str, ...]
    """The packages that bring maturin; none where it has none, and compiles no Python package."""

    def cuda(self, pins: Pins) -> str:
        """Return the release of its CUDA toolkit."""
        ...

    def distribution(self, pins: Pins) -> str:
        """Return what tells its packages from those of others, as in the ids of apt's cache mounts."""
        ...

    def compiler(self, pins: Pins, crate: CratePlan) -> str:
        """Return what the stages of its toolchain for a crate have after their name: nothing where it is the usual one.

        Raises:
            LockError: the base has no Rust that is new enough for the crate.
        """
        ...

    def toolchain(self, pins: Pins, platform: Platform, compiler: str) -> str:
        """Return what a compiler on a platform is: units of another compiler are not taken."""
        ...

    def interpreter(self, pins: Pins, platform: Platform) -> Interpreter:
        """Return its Python on a platform."""
        ...

    def environment_packages(self, version: str) -> tuple[str, ...]:
        """Return the packages that an image with an environment of Python X.Y needs."""
        ...

    def origin(self, images: BaseImages) -> str:
        """Return the image that images start from."""
        ...

    def versions(self, images: BaseImages, pins: Pins) -> dict[str, str]:
        """Return the outside versions that only this base has, by what people call them."""
        ...


class _Nvidia:
    """NVIDIA's CUDA images on Ubuntu, with rustup's Rust and uv's Python."""

    local = False
    wheels = False
    maturin: tuple[str, ...] = ()

    def cuda(self, pins: Pins) -> str:
        return pins.nvidia.cuda

    def distribution(self, pins: Pins) -> str:
        del pins
        return "nvidia"

    def compiler(self, pins: Pins, crate: CratePlan) -> str:
        if newer(crate.rust, pins.rust.toolchain):
            raise LockError(
                f"the crate {crate.name} {crate.version} wants Rust {crate.rust}, and [rust] in baker.lock is "
                f"{pins.rust.toolchain}: run `baker lock --upgrade rust`"
            )
        return ""

    def toolchain(self, pins: Pins, platform: Platform, compiler: str) -> str:
        del compiler
        return f"{pins.nvidia.devel} {pins.rust.toolchain} {pins.rust.rustup_sha256(platform)}"

    def interpreter(self, pins: Pins, platform: Platform) -> Interpreter:
        home = f"/opt/python/cpython-{pins.python.managed}-linux-{platform.machine}-gnu"
        return Interpreter(
            version=pins.python.version,
            managed=pins.python.managed,
            home=home,
            executable=f"{home}/bin/python{pins.python.version}",
            libdir=f"{home}/lib",
            soname=f"libpython{pins.python.version}.so.1.0",
            stdlib=f"{home}/lib/python{pins.python.version}",
            record="",
            folder="/opt/python",
        )

    def environment_packages(self, version: str) -> tuple[str, ...]:
        del version
        return ()

    def origin(self, images: BaseImages) -> str:
        return images.runtime

    def versions(self, images: BaseImages, pins: Pins) -> dict[str, str]:
        return {
            "CUDA devel image": images.devel,
            "CUDA base image": images.runtime,
            "Rust": pins.rust.toolchain,
            "rustup": pins.rust.rustup,
            "managed Python": pins.python.managed,
        }


class _Debian:
    """A Debian root made by mmdebstrap; CUDA, Rust and Python are Debian's packages."""

    local = True
    wheels = True
    maturin: tuple[str, ...] = ("python3-maturin",)

    def cuda(self, pins: Pins) -> str:
        return pins.debian.cuda

    def distribution(self, pins: Pins) -> str:
        return f"debian-{pins.debian.suite}"

    def compiler(self, pins: Pins, crate: CratePlan) -> str:
        debian = pins.debian
        if not newer(crate.rust, debian.rust):
            return ""
        if debian.rust_backports and not newer(crate.rust, debian.rust_backports):
            return BACKPORTS
        raise LockError(
            f"the crate {crate.name} {crate.version} wants Rust {crate.rust}, and in baker.lock Debian {debian.suite} "
            f"has {debian.rust} and its backports {debian.rust_backports or 'none'}: run `baker lock --upgrade "
            "debian`, or take --base nvidia"
        )

    def toolchain(self, pins: Pins, platform: Platform, compiler: str) -> str:
        del platform
        release = pins.debian.rust_backports if compiler == BACKPORTS else pins.debian.rust
        return f"{pins.debian.suite}{compiler} {release}"

    def interpreter(self, pins: Pins, platform: Platform) -> Interpreter:
        version = pins.python.version
        return Interpreter(
            version=version,
            managed=pins.python.managed,
            home="/usr",
            executable=f"/usr/bin/python{version}",
            libdir=f"/usr/lib/{platform.triplet}",
            soname=f"libpython{version}.so.1.0",
            stdlib=f"/usr/lib/python{version}",
            record=f"/opt/baker/packages/libpython{version}",
            folder="",
        )

    def environment_packages(self, version: str) -> tuple[str, ...]:
        return (f"libpython{version}-dev", f"python{version}")

    def origin(self, images: BaseImages) -> str:
        return images.root

    def versions(self, images: BaseImages, pins: Pins) -> dict[str, str]:
        del pins
        return {"root image": images.root}


def mirrored(reference: str, registry: str) -> str:
    """Return an image reference that goes through a mirror's prefix; without one it is left as it is."""
    return f"{registry.rstrip('/')}/{reference}" if registry else reference


def base_images(pins: Pins, mirrors: Mirrors, choice: Choice) -> BaseImages:
    """Return the images that stages of all bases start from."""
    return BaseImages(
        root=choice.root,
        build_root=choice.build_root,
        devel=mirrored(pins.nvidia.devel, mirrors.registry),
        runtime=mirrored(pins.nvidia.runtime, mirrors.registry),
    )


def newer(version: str, other: str) -> bool:
    """Whether a Rust is newer than another one; an empty version is newer than none."""
    return bool(version) and Version(version) > Version(other)


BASES: dict[str, Base] = {"nvidia": _Nvidia(), "debian": _Debian()}
