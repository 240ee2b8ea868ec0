"""The pins: baker.lock, the one file with every outside version. `baker lock` writes it, everything else reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import msgspec

from baker.config import model, toml, values
from baker.config.model import Table, about
from baker.errors import LockError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from baker.config.platforms import Platform

# A time of Debian's archive, as in "20261123T020933Z".
SNAPSHOT = "%Y%m%dT%H%M%S%z"


class CratePin(Table, frozen=True, kw_only=True):
    """A crate's version and the sha256 of its .crate file, or of the archive of a commit."""

    version: Annotated[values.Version, about("The version, as crates.io or the package itself has it.")]
    sha256: Annotated[values.Sha256, about("The sha256 of the .crate file, or of `git archive --format=tar`.")]
    git: Annotated[values.Url, about("The git repository that it comes from; empty is crates.io.")] = ""
    commit: Annotated[values.OptionalCommit, about("The commit.")] = ""
    rust: Annotated[values.OptionalRust, about("The Rust that it wants, where its release says one.")] = ""


class UvPin(Table, frozen=True, kw_only=True):
    """uv's version and the sha256 of its wheel for each architecture."""

    version: Annotated[values.Version, about("The version, as PyPI has it.")]
    sha256_amd64: Annotated[values.Sha256, about("The sha256 of the wheel for x86-64.")]
    sha256_arm64: Annotated[values.Sha256, about("The sha256 of the wheel for aarch64.")]


class PythonPin(Table, frozen=True, kw_only=True):
    """The interpreter: `version` is X.Y on every base, `managed` is X.Y.Z where uv installs it."""

    version: Annotated[values.MinorVersion, about("X.Y, on every base.")]
    managed: Annotated[values.MinorVersion, about("X.Y.Z, where uv installs it.")]


class RustPin(Table, frozen=True, kw_only=True):
    """The Rust toolchain of the nvidia base, and the rustup-init of each architecture that installs it."""

    toolchain: Annotated[values.Version, about("The version of Rust.")]
    rustup: Annotated[values.Version, about("The version of rustup-init.")]
    rustup_sha256_amd64: Annotated[values.Sha256, about("The sha256 of rustup-init for x86-64.")]
    rustup_sha256_arm64: Annotated[values.Sha256, about("The sha256 of rustup-init for aarch64.")]

    def rustup_sha256(self, platform: Platform) -> str:
        """Return the sha256 of the rustup-init that runs on a platform."""
        return str(getattr(self, f"rustup_sha256_{platform.architecture}"))


class NvidiaPin(Table, frozen=True, kw_only=True):
    """NVIDIA's images by digest, which is that of all architectures, and the CUDA release that is in them."""

    cuda: Annotated[values.MinorVersion, about("The CUDA release.")]
    devel: Annotated[values.Reference, about("The image that binaries are compiled in.")]
    runtime: Annotated[values.Reference, about("The image that images are made from.")]


class DebianPin(Table, frozen=True, kw_only=True):
    """The Debian suite, and the CUDA and Rust releases that are in it."""

    suite: Annotated[values.Suite, about("The suite.")]
    cuda: Annotated[values.MinorVersion, about("The CUDA release of the suite.")]
    rust: Annotated[values.Version, about("The Rust release of the suite.")]
    rust_backports: Annotated[
        values.OptionalRust,
        about("The Rust release of the suite's backports, for crates that want it; empty where they have none."),
    ] = ""
    snapshot: Annotated[
        values.Snapshot, about('A time of the archive, as in "20261123T020933Z"; empty where none is pinned.')
    ] = ""

    def epoch(self) -> int:
        """Return the time that a reproducible build gives to everything, in seconds since 1970: the snapshot's.

        Raises:
            LockError: no snapshot is pinned.
        """
        if not self.snapshot:
            raise LockError(
                "--reproducible takes its time from [debian] snapshot in baker.lock, which is missing: run `baker lock`"
            )
        return int(datetime.strptime(self.snapshot, SNAPSHOT).astimezone(UTC).timestamp())


class Pins(Table, frozen=True, kw_only=True):
    """baker.lock: every outside version that a build takes. `baker lock` writes it."""

    crates: Annotated[dict[values.Crate, CratePin], about("The crates.")] = msgspec.field(default_factory=dict)
    uv: UvPin
    python: PythonPin
    rust: RustPin
    nvidia: NvidiaPin
    debian: DebianPin
    projects: Annotated[dict[str, values.Sha256], about("The sha256 of each uv.lock by the name of its folder.")] = (
        msgspec.field(default_factory=dict)
    )

    def crate(self, name: str) -> CratePin:
        """Return the pin of a crate, or raise LockError."""
        if name not in self.crates:
            raise LockError(f"baker.lock has no version of the crate {name}: run `baker lock`")
        return self.crates[name]


class _Written(Table, frozen=True, kw_only=True):
    """What `baker lock` takes for a baker.lock: pins may be missing, and each gets its place."""

    crates: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    uv: dict[str, str] = msgspec.field(default_factory=dict)
    python: dict[str, str] = msgspec.field(default_factory=dict)
    rust: dict[str, str] = msgspec.field(default_factory=dict)
    nvidia: dict[str, str] = msgspec.field(default_factory=dict)
    debian: dict[str, str] = msgspec.field(default_factory=dict)
    projects: dict[str, str] = msgspec.field(default_factory=dict)


def load(path: Path) -> Pins:
    """Read baker.lock.

    Raises:
        LockError: there is none, or it is not what `baker lock` writes.
    """
    if not path.exists():
        raise LockError(f"{path} is missing: run `baker lock`, and keep the file under version control")
    try:
        return model.read(Pins, toml.read(path), str(path))
    except UsageError as error:
        raise LockError(f"{error}; take the file from version control, or run `baker lock`") from error


def is_whole(name: str, values: Mapping[str, str]) -> bool:
    """Whether a table of baker.lock has every key that it must have; one of an earlier release may lack some."""
    kind = next(field.type for field in msgspec.structs.fields(Pins) if field.name == name)
    fields = msgspec.structs.fields(kind)
    return all(field.encode_name in values for field in fields if field.default is msgspec.NODEFAULT)


def written(path: Path) -> str:
    """Return the text of a baker.lock that may lack pins, empty where there is none, or raise LockError."""
    if not path.exists():
        return ""
    try:
        model.read(_Written, toml.read(path), str(path))
    except UsageError as error:
        raise LockError(f"{error}; take the file from version control, or remove it and run `baker lock`") from error
    return path.read_text(encoding="utf-8")
