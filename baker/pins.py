"""The pins: baker.lock, the one file with every outside version. `baker lock` writes it, everything else reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker import toml
from baker.errors import LockError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class CratePin:
    """A crate's version and the sha256 of its .crate file."""

    version: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class UvPin:
    """uv's version and the sha256 of its wheel for x86-64 Linux."""

    version: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class PythonPin:
    """The interpreter: `version` is X.Y on every base, `managed` is X.Y.Z where uv installs it."""

    version: str
    managed: str


@dataclass(frozen=True, kw_only=True)
class RustPin:
    """The Rust toolchain of the nvidia base, and the rustup-init that installs it."""

    toolchain: str
    rustup: str
    rustup_sha256: str


@dataclass(frozen=True, kw_only=True)
class NvidiaPin:
    """NVIDIA's images by digest, and the CUDA release that is in them."""

    cuda: str
    devel: str
    runtime: str


@dataclass(frozen=True, kw_only=True)
class DebianPin:
    """The Debian suite, and the CUDA and Rust releases that are in it.

    `snapshot` is a time of its archive, as in "20261123T020933Z"; empty where none is pinned.
    """

    suite: str
    cuda: str
    rust: str
    snapshot: str


@dataclass(frozen=True, kw_only=True)
class Pins:
    """baker.lock. `projects` are the sha256 of each uv.lock by the name of its folder."""

    crates: dict[str, CratePin]
    uv: UvPin
    python: PythonPin
    rust: RustPin
    nvidia: NvidiaPin
    debian: DebianPin
    projects: dict[str, str]

    def crate(self, name: str) -> CratePin:
        """Return the pin of a crate, or raise LockError."""
        if name not in self.crates:
            raise LockError(f"baker.lock has no version of the crate {name}: run `baker lock`")
        return self.crates[name]


def load(path: Path) -> Pins:
    """Read baker.lock.

    Raises:
        LockError: there is none.
        UsageError: it is not what `baker lock` writes.
    """
    if not path.exists():
        raise LockError(f"{path} is missing: run `baker lock`, and keep the file under version control")
    top = toml.read(path)
    crates, uv, python, rust = (top.table(name) for name in ("crates", "uv", "python", "rust"))
    nvidia, debian, projects = (top.table(name) for name in ("nvidia", "debian", "projects"))
    pins = Pins(
        crates={
            name: CratePin(version=crates.table(name).text("version"), sha256=crates.table(name).text("sha256"))
            for name in crates.values
        },
        uv=UvPin(version=uv.text("version"), sha256=uv.text("sha256")),
        python=PythonPin(version=python.text("version"), managed=python.text("managed")),
        rust=RustPin(
            toolchain=rust.text("toolchain"), rustup=rust.text("rustup"), rustup_sha256=rust.text("rustup-sha256")
        ),
        nvidia=NvidiaPin(cuda=nvidia.text("cuda"), devel=nvidia.text("devel"), runtime=nvidia.text("runtime")),
        debian=DebianPin(
            suite=debian.text("suite"),
            cuda=debian.text("cuda"),
            rust=debian.text("rust"),
            snapshot=debian.text("snapshot", ""),
        ),
        projects=projects.words(),
    )
    for table in (top, uv, python, rust, nvidia, debian):
        table.end()
    return pins
