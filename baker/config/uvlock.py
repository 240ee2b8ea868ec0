"""Does a uv.lock fit its pyproject.toml, and is it the one that baker.lock names? Answered before any build."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import msgspec

from baker.config import faults, lockfile, model, toml
from baker.config.lockfile import HINT, Kebab, Metadata
from baker.errors import LockError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from baker.config.lockfile import Package, Requirement
    from baker.config.pins import Pins


class _Project(Kebab, frozen=True):
    name: str
    dependencies: tuple[str, ...] = ()


class _PyProject(Kebab, frozen=True):
    project: _Project
    # An item is a requirement, or a table that includes another group.
    dependency_groups: dict[str, tuple[str | dict[str, str], ...]] = msgspec.field(default_factory=dict)


def digest(path: Path) -> str:
    """Return the sha256 of a lock's text; line ends do not count, since a checkout may change them."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def check(project: Path, pins: Pins) -> None:
    """Check the lock of a uv project.

    Raises:
        LockError: it is missing, does not fit pyproject.toml, or is not the one that baker.lock names.
        UsageError: pyproject.toml is missing or broken.
    """
    fits(project)
    check_digest(project, pins)


def check_digest(project: Path, pins: Pins) -> None:
    """Check that the lock of a uv project is the one that baker.lock names, or raise LockError."""
    lock = _existing(project)
    pinned, found = _pinned(project, pins), digest(lock)
    if pinned != found:
        raise LockError(
            f"{lock} is not the one in baker.lock (sha256 {found[:12]}…, pinned {(pinned or 'none')[:12]}…): {HINT}"
        )


def _pinned(project: Path, pins: Pins) -> str | None:
    """Return the pinned digest of a uv project, which baker.lock names by its path from the services' folder."""
    names = [
        name for name in pins.projects if project.parts[-len(PurePosixPath(name).parts) :] == PurePosixPath(name).parts
    ]
    return pins.projects[max(names, key=len)] if names else None


def fits(project: Path) -> None:
    """Check that the lock of a uv project is there and fits pyproject.toml, or raise LockError."""
    lock, manifest = _existing(project), project / "pyproject.toml"
    locked = lockfile.packages(lock.read_bytes(), str(lock))
    wanted = model.read(_PyProject, toml.read(manifest), str(manifest), texts=False)
    for where, want, have in _pairs(wanted, locked, manifest):
        for name in (*sorted(want - have), *sorted(have - want)):
            what = "asks for" if name in want else "no longer asks for"
            raise LockError(f"{lock} is out of date: {where} of {manifest} {what} {name}; {HINT}")


def from_git(project: Path) -> bool:
    """Whether a package of a uv project's lock comes from a git repository."""
    lock = _existing(project)
    return any(package.source.git for package in lockfile.packages(lock.read_bytes(), str(lock)))


def versions(locked: bytes, where: str = "uv.lock") -> dict[str, str]:
    """Return the packages of a uv.lock with their versions, or raise LockError where it is broken."""
    found: dict[str, list[str]] = {}
    for item in lockfile.packages(locked, where):
        if item.version:
            found.setdefault(item.name, []).append(item.version)
    # A package may have one for each platform.
    return {name: ", ".join(several) for name, several in found.items()}


def _existing(project: Path) -> Path:
    lock = project / "uv.lock"
    if not lock.is_file():
        raise LockError(f"{lock} is missing: {HINT}")
    return lock


def _pairs(wanted: _PyProject, locked: Sequence[Package], manifest: Path) -> list[tuple[str, set[str], set[str]]]:
    """Return (table, requirements in pyproject.toml, requirements in the lock) for each table of requirements."""
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - slow to import, and a check of digests has no use

    name = canonicalize_name(wanted.project.name)
    metadata = next((item.metadata for item in locked if item.name == name), Metadata())
    own = {_normal(text, manifest) for text in wanted.project.dependencies}
    pairs = [("[project] dependencies", own, {_locked(item, manifest) for item in metadata.requires_dist})]
    for group, items in sorted(wanted.dependency_groups.items()):
        own = {_normal(text, manifest) for text in items if isinstance(text, str)}
        held = metadata.requires_dev.get(group, ())
        pairs.append((f"[dependency-groups] {group}", own, {_locked(item, manifest) for item in held}))
    return pairs


def _normal(text: str, where: Path) -> str:
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - slow to import, and a check of digests has no use
    from packaging.utils import canonicalize_name  # noqa: PLC0415

    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise UsageError(f"{where}: {faults.shown(text)} is no requirement: {str(error).splitlines()[0]}") from error
    return f"{canonicalize_name(requirement.name)}{requirement.specifier}"


def _locked(item: Requirement, where: Path) -> str:
    return _normal(item.name + item.specifier, where.with_name("uv.lock"))
