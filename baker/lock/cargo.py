"""cargo: the Cargo.lock that a toolkit from wheels names, made from the one that its crate is published with."""

from __future__ import annotations

import io
import re
import tarfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import msgspec

from baker.config.cardtable import version as numbers
from baker.config.cargo import locked
from baker.config.pins import CratePin
from baker.errors import CommandError, LockError, NetworkError
from baker.system import process

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from baker.config.service import Service
    from baker.lock.sources import Sources

HINT = "it makes Cargo.lock; `sudo apt-get install cargo`, or rustup, has it"


def locks(services: Iterable[Service], pinned: Mapping[str, Any], sources: Sources, scratch: Path) -> dict[Path, bytes]:
    """Return each Cargo.lock of a toolkit that is not what service.toml wants, as it has to be."""
    found: dict[Path, bytes] = {}
    for service in services:
        crate = service.crate
        for toolkit in service.toolkits.values():
            path = toolkit.lock
            if path is None or path in found or not toolkit.crates or crate.git or crate.path:
                continue
            pin = msgspec.convert(pinned[crate.name], CratePin)
            if not fits(path.read_bytes(), str(path), crate.name, pin.version, toolkit.crates):
                archive = sources.archive(crate.name, pin)
                room = scratch / str(len(found))
                found[path] = relock(
                    archive, crate.name, pin, toolkit.crates, scratch=room, index=sources.mirrors.crates
                )
    return found


def fits(lock: bytes, where: str, name: str, version: str, crates: Mapping[str, str]) -> bool:
    """Whether a Cargo.lock is that of a release, with some crates at the versions that are wanted.

    Args:
        lock: its content.
        where: its name in messages.
        name: the crate that is locked.
        version: its release.
        crates: what is wanted of others, by name.
    """
    found = locked(lock, where)
    return all(wanted in found.get(crate, ()) for crate, wanted in {name: version, **crates}.items())


def relock(archive: bytes, name: str, pin: CratePin, crates: Mapping[str, str], *, scratch: Path, index: str) -> bytes:
    """Return the Cargo.lock of a release with some crates at other versions.

    Args:
        archive: the release's .crate file.
        name: the crate.
        pin: its release.
        crates: the versions of others, by name; they are moved in this order.
        scratch: an empty folder.
        index: a sparse index to take in place of crates.io; empty is crates.io.

    Raises:
        EngineError: there is no cargo.
        LockError: the release has no lock, or there is no solution with these versions.
        NetworkError: the index cannot be reached.
    """
    cargo = process.find("cargo", HINT)
    folder = scratch / f"{name}-{pin.version}"
    _unpack(archive, scratch, folder.name)
    lock = folder / "Cargo.lock"
    if not lock.is_file():
        raise LockError(f"{name} {pin.version} has no Cargo.lock, which [toolkits] crates could change")
    mirror = (
        ["--config", 'source.crates-io.replace-with="mirror"', "--config", f'source.mirror.registry="sparse+{index}"']
        if index
        else []
    )
    for crate, wanted in crates.items():
        having = locked(lock.read_bytes(), str(lock)).get(crate, ())
        if wanted in having:
            continue
        if not having:
            raise LockError(f"the Cargo.lock of {name} {pin.version} has no {crate}: [toolkits] crates names it")
        # Of several, the newest is the one that those named before it have brought.
        which = f"{crate}@{max(having, key=_order)}"
        argv = [cargo, *mirror, "update", "--package", which, "--precise", wanted]
        try:
            process.capture(argv, cwd=folder)
        except CommandError as error:
            if re.search(r"failed to (download|fetch|query)|Could not|timed out|offline", error.tail):
                raise NetworkError(error.tail.strip().splitlines()[-1].strip()) from error
            raise LockError(f"cargo cannot lock {name} with {crate} {wanted}:\n{error.tail}") from error
    return lock.read_bytes()


def _unpack(archive: bytes, scratch: Path, name: str) -> None:
    """Unpack the plain files of a .crate, which all lie in one folder."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as members:
        for member in members:
            path = PurePosixPath(member.name)
            content = members.extractfile(member) if member.isreg() else None
            if content is None:
                continue
            if path.parts[0] != name or ".." in path.parts:
                raise LockError(f"{name}.crate has a file out of its folder, {member.name!r}")
            target = scratch / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())


def _order(text: str) -> tuple[int, ...]:
    return numbers(re.split("[-+]", text)[0])
