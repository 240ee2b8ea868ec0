"""The platforms that images are built for, in one table: what Docker, Debian, Rust and the kernel call them."""

from __future__ import annotations

from dataclasses import dataclass

from baker.errors import UsageError
from baker.system.suggestion import closest


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A platform.

    Attributes:
        name: what Docker calls it, "linux/arm64".
        architecture: what Debian and Docker call its processor, "arm64"; pins have it at the end of their names.
        machine: what the kernel and Python call its processor, "aarch64".
        qemu: what qemu and binfmt_misc call its processor.
        emulated: environment variables for programs that qemu runs, names and values.
        loader: the path of its C library's loader.
        wheel: how the names of uv's wheels for it end.
        suffix: what tells roots, folders and receipts of this platform from others; the first one has none.
    """

    name: str
    architecture: str
    machine: str
    qemu: str
    loader: str
    wheel: str
    suffix: str
    emulated: tuple[tuple[str, str], ...] = ()

    @property
    def triplet(self) -> str:
        """What Debian and GCC call it, as in "aarch64-linux-gnu"."""
        return f"{self.machine}-linux-gnu"

    @property
    def manylinux(self) -> str:
        """What uv calls the newest wheels that run on Debian trixie and later, as in "aarch64-manylinux_2_40"."""
        return f"{self.machine}-manylinux_2_40"

    @property
    def rust(self) -> str:
        """What Rust calls it, as in "aarch64-unknown-linux-gnu"."""
        return f"{self.machine}-unknown-linux-gnu"


AMD64 = Platform(
    name="linux/amd64",
    architecture="amd64",
    machine="x86_64",
    qemu="x86_64",
    loader="/lib64/ld-linux-x86-64.so.2",
    wheel="manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    suffix="",
)
ARM64 = Platform(
    name="linux/arm64",
    architecture="arm64",
    machine="aarch64",
    qemu="aarch64",
    loader="/lib/ld-linux-aarch64.so.1",
    wheel="manylinux_2_28_aarch64.whl",
    suffix="-arm64",
    # By default qemu plays a processor with SVE. oneDNN, with which torch computes on a CPU, then generates code that
    # qemu ends with SIGILL.
    emulated=(("QEMU_CPU", "neoverse-n1"),),
)
ALL = (AMD64, ARM64)


def find(name: str) -> Platform:
    """Return a platform by Docker's name, or raise UsageError."""
    found = next((platform for platform in ALL if platform.name == name), None)
    if found is None:
        raise UsageError(f"nothing can be built for {name!r}; {closest(name, [platform.name for platform in ALL])}")
    return found


def of_machine(machine: str) -> Platform:
    """Return the platform of a processor, "aarch64" or "arm64", or raise UsageError."""
    found = next((platform for platform in ALL if machine in (platform.machine, platform.architecture)), None)
    if found is None:
        raise UsageError(f"no image can be built on or for a machine of the kind {machine!r}")
    return found
