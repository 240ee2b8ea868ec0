"""A crate of one's own: a commit, a folder, a patch or a lock in place of a release of crates.io."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from baker.config import cargo
from baker.dockerfile import labels, render
from baker.dockerfile.bases import newer
from baker.dockerfile.plan import CratePlan, OwnCrate
from baker.errors import LockError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from baker.config.pins import CratePin, Pins
    from baker.config.service import Crate

DIGITS = 10


def plan(crate: Crate, pins: Pins, inside: Callable[[Path], str], root: Path) -> CratePlan:
    """Return what is to be fetched for a service's crate.

    Args:
        crate: the service's [crate].
        pins: baker.lock.
        inside: returns the place of a project's file in the build context.
        root: the folder that links may not lead out of.

    Raises:
        LockError: baker.lock has no pin of it, or that of another version or commit.
        UsageError: a file cannot be read, or is no part of the services.
    """
    if crate.path:
        return _of_folder(crate, crate.path, inside, root)
    pin = pins.crate(crate.name)
    _check(crate, pin)
    rust = pin.rust if newer(pin.rust, crate.rust or "0") else crate.rust
    if not crate.own:
        return CratePlan(name=crate.name, version=pin.version, sha256=pin.sha256, binary=crate.binary, rust=rust)
    origin = _Origin(
        source=("crates.io", pin.version, pin.sha256), shown=f"crates.io {pin.version}", sha256=pin.sha256, mark=""
    )
    if crate.git:
        origin = _Origin(
            source=("git", crate.git, crate.commit, pin.sha256),
            shown=f"{crate.git} {crate.commit}",
            sha256=pin.sha256,
            mark=f"g{crate.commit[:DIGITS]}",
        )
    return replace(_own(crate, pin.version, origin, inside), rust=rust)


@dataclass(frozen=True, kw_only=True)
class _Origin:
    """Where a crate comes from: for own-crate, for people, its sum, and its mark in the version."""

    source: tuple[str, ...]
    shown: str
    sha256: str
    mark: str


def _of_folder(crate: Crate, path: Path, inside: Callable[[Path], str], root: Path) -> CratePlan:
    files = tuple(render.copied(path, "", root))
    contents = {file.path.removeprefix("/"): file.content for file in files}
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.path}\0{file.mode}\0{len(file.content)}\0".encode() + file.content)
    found = digest.hexdigest()
    origin = _Origin(source=("path",), shown=inside(path), sha256=found, mark=f"d{found[:DIGITS]}")
    return _own(crate, cargo.version(contents.get, crate.folder, str(path)), origin, inside)


def _own(crate: Crate, version: str, origin: _Origin, inside: Callable[[Path], str]) -> CratePlan:
    changes = (*((crate.lock,) if crate.lock else ()), *crate.patches)
    told = tuple((inside(path), hashlib.sha256(_content(path)).hexdigest()) for path in changes)
    sums = [digest for _, digest in told]
    marks = [origin.mark] if origin.mark else []
    if told:
        marks.append(("p" if crate.patches else "l") + hashlib.sha256(repr(sums).encode()).hexdigest()[:DIGITS])
    own = OwnCrate(
        source=origin.source,
        origin=origin.shown,
        path=inside(crate.path) if crate.path else "",
        folder=crate.folder,
        lock=inside(crate.lock) if crate.lock else "",
        patches=tuple(inside(patch) for patch in crate.patches),
        told=told,
        cudarc=cargo.cudarc(_content(crate.lock), str(crate.lock)) if crate.lock else "",
    )
    return CratePlan(
        name=crate.name,
        version="-".join([version, *marks]),
        sha256=hashlib.sha256(repr((origin.sha256, crate.folder, sums)).encode()).hexdigest(),
        binary=crate.binary,
        own=own,
        rust=crate.rust,
    )


def told(crate: CratePlan) -> dict[str, str]:
    """Return the labels of a crate of one's own: where it comes from, and its lock and patches with their sha256."""
    own = crate.own
    if own is None:
        return {}
    sums = dict(own.told)
    return {
        labels.CRATE_SOURCE: own.origin,
        labels.CRATE_LOCK: f"{own.lock} sha256:{sums[own.lock]}" if own.lock else "",
        labels.CRATE_PATCHES: ", ".join(f"{patch} sha256:{sums[patch]}" for patch in own.patches),
    }


def _check(crate: Crate, pin: CratePin) -> None:
    """Raise LockError where the pin is that of another crate than service.toml wants."""
    wanted = f"commit {crate.commit} of {crate.git}" if crate.git else f"version {crate.version or pin.version}"
    fits = (pin.git, pin.commit) == (crate.git, crate.commit) and crate.version in ("", pin.version)
    if not fits:
        has = f"commit {pin.commit} of {pin.git}" if pin.git else f"version {pin.version}"
        raise LockError(
            f"service.toml wants {wanted} of the crate {crate.name}, baker.lock has {has}: run `baker lock`"
        )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes().replace(b"\r\n", b"\n")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
