"""Emulation: whether this machine's kernel hands programs of other processors to qemu."""

from __future__ import annotations

import os
from pathlib import Path

# https://docs.kernel.org/admin-guide/binfmt-misc.html
REGISTERED = Path("/proc/sys/fs/binfmt_misc")


# What brings qemu; mmdebstrap asks arch-test what this machine runs.
PACKAGES = "qemu-user-static binfmt-support"
ARCH_TEST = "arch-test"


def native(machine: str) -> bool:
    """Whether this machine has a processor itself; `machine` is what the kernel calls it."""
    return os.uname().machine == machine


def runs(machine: str, qemu: str) -> bool:
    """Whether this machine runs programs of a processor.

    Args:
        machine: what the kernel calls it.
        qemu: what qemu calls it.
    """
    return native(machine) or (REGISTERED / f"qemu-{qemu}").exists()


def hint(architecture: str) -> str:
    """Return how an engine's machine learns to run programs of an architecture, as Docker calls it."""
    return (
        f"on the engine's machine run `sudo apt-get install {PACKAGES}` (Debian, Ubuntu), or "
        f"`docker run --privileged --rm tonistiigi/binfmt --install {architecture}`"
    )
