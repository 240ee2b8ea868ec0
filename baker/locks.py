"""Does a uv.lock fit its pyproject.toml, and is it the one that baker.lock names? Answered before any build."""

from __future__ import annotations

import hashlib
import tomllib
from typing import TYPE_CHECKING, Any

from baker.errors import LockError

if TYPE_CHECKING:
    from pathlib import Path

    from baker.pins import Pins


def digest(path: Path) -> str:
    """Return the sha256 of a lock's text; line ends do not count, since a checkout may change them."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def check(project: Path, pins: Pins) -> None:
    """Check the lock of a uv project.

    Raises:
        LockError: it is missing, does not fit pyproject.toml, or is not the one that baker.lock names.
    """
    fits(project)
    check_digest(project, pins)


def check_digest(project: Path, pins: Pins) -> None:
    """Check that the lock of a uv project is the one that baker.lock names, or raise LockError."""
    lock = _existing(project)
    pinned, found = pins.projects.get(project.name), digest(lock)
    if pinned != found:
        raise LockError(
            f"{lock} is not the one in baker.lock (sha256 {found[:12]}…, pinned {(pinned or 'none')[:12]}…): "
            "run `baker lock`"
        )


def fits(project: Path) -> None:
    """Check that the lock of a uv project is there and fits pyproject.toml, or raise LockError."""
    lock, hint = _existing(project), "run `baker lock`"
    try:
        locked = tomllib.loads(lock.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LockError(f"{lock} is broken: {error}; take it from version control, or {hint}") from error
    wanted = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    for where, want, have in _pairs(wanted, locked):
        for name in (*sorted(want - have), *sorted(have - want)):
            what = "asks for" if name in want else "no longer asks for"
            raise LockError(f"{lock} is out of date: {where} of {project / 'pyproject.toml'} {what} {name}; {hint}")


def versions(locked: bytes) -> dict[str, str]:
    """Return the packages of a uv.lock with their versions. Raises ValueError where it is no TOML."""
    packages = tomllib.loads(locked.decode()).get("package", ())
    return {item["name"]: str(item["version"]) for item in packages if "version" in item}


def _existing(project: Path) -> Path:
    lock = project / "uv.lock"
    if not lock.exists():
        raise LockError(f"{lock} is missing: run `baker lock`")
    return lock


def _pairs(wanted: dict[str, Any], locked: dict[str, Any]) -> list[tuple[str, set[str], set[str]]]:
    """Return (table, requirements in pyproject.toml, requirements in the lock) for each table of requirements."""
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - slow to import, and a check of digests has no use

    name = canonicalize_name(wanted["project"]["name"])
    package: dict[str, Any] = next((item for item in locked.get("package", []) if item["name"] == name), {})
    metadata = package.get("metadata", {})
    own = {_normal(text) for text in wanted["project"].get("dependencies", [])}
    pairs = [("[project] dependencies", own, {_locked(item) for item in metadata.get("requires-dist", [])})]
    groups, held = wanted.get("dependency-groups", {}), metadata.get("requires-dev", {})
    for group in sorted(groups):
        own = {_normal(text) for text in groups[group] if isinstance(text, str)}
        pairs.append((f"[dependency-groups] {group}", own, {_locked(item) for item in held.get(group, [])}))
    return pairs


def _normal(text: str) -> str:
    from packaging.requirements import Requirement  # noqa: PLC0415
    from packaging.utils import canonicalize_name  # noqa: PLC0415

    requirement = Requirement(text)
    return f"{canonicalize_name(requirement.name)}{requirement.specifier}"


def _locked(item: dict[str, Any]) -> str:
    return _normal(item["name"] + item.get("specifier", ""))
