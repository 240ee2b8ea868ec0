"""`baker lock`: look up every outside version and write baker.lock. Where a source is silent the old pin stays."""

from __future__ import annotations

import difflib
import shutil
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomlkit

from baker import locks, sources
from baker.errors import LockError, NetworkError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from baker.project import Project

Pin = dict[str, str]
DEFAULTS: dict[str, Pin] = {
    "python": {"version": "3.13"},
    "debian": {"suite": "trixie"},
    "nvidia": {
        "cuda": "12.8",
        "devel": "nvidia/cuda:12.8.1-devel-ubuntu24.04",
        "runtime": "nvidia/cuda:12.8.1-base-ubuntu24.04",
    },
}
OUTSIDE = ("uv", "python", "rust", "nvidia", "debian")
# What a project leaves in its folder and uv has no use for.
IGNORED = shutil.ignore_patterns(".venv", "target", "__pycache__", ".git")


@dataclass(kw_only=True)
class Changes:
    """What a look at the sources came to: lines for people, and the sources that were silent."""

    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def update(project: Project, upgrade: Sequence[str], *, write: bool) -> Changes:
    """Bring baker.lock and each uv.lock up to date: all of them or, when anything fails, none.

    Args:
        project: whose lock it is.
        upgrade: what moves to its newest version: crates, Python packages, and names of OUTSIDE.
        write: False writes nothing and only returns what would change.

    Raises:
        LockError: a crate or a package is not in its index, or has no solution.
        NetworkError: something that has no pin yet could not be looked up.
        UsageError: there is nothing of a name to upgrade, or the project is the package's own, which is read-only.
    """
    if project.builtin and write:
        raise UsageError("there is no project here to lock: `baker init DIR` lays one out")
    document = tomlkit.parse(project.lock.read_text(encoding="utf-8")) if project.lock.exists() else tomlkit.document()
    before = document.unwrap()
    services, mirrors = project.services(()), project.settings().mirrors
    crates = sorted({service.crate.name for service in services})
    folders = sorted({service.python.project for service in services if service.python})
    packages = _packages(upgrade, crates, folders)
    found = Changes()
    _crates(document, crates, upgrade, partial(sources.crate, mirrors=mirrors), found)
    python, debian, nvidia = ({**DEFAULTS[name], **before.get(name, {})} for name in ("python", "debian", "nvidia"))
    asks: dict[str, Callable[[], Pin]] = {
        "uv": partial(sources.uv, mirrors),
        "python": partial(sources.python, python["version"]),
        "rust": partial(sources.rust, mirrors),
        "nvidia": lambda: {**nvidia, **{key: sources.image(nvidia[key], mirrors) for key in ("devel", "runtime")}},
        "debian": partial(sources.debian, debian["suite"], mirrors),
    }
    for name in OUTSIDE:
        if name in upgrade or name not in document:
            _pin(document, name, name, asks[name], found)
    with tempfile.TemporaryDirectory(prefix="baker-lock-") as scratch:
        fresh = {folder: _relocked(folder, packages, Path(scratch), found) for folder in folders}
        pinned: Any = document.setdefault("projects", tomlkit.table())
        for folder, lock in fresh.items():
            pinned[folder.name] = locks.digest(lock)
            found.lines += _moved(_versions(folder / "uv.lock"), _versions(lock), f"{folder.name}/uv.lock")
        found.lines[:0] = _differences(before, document.unwrap())
        if write and found.lines:
            for folder, lock in fresh.items():
                _replace(folder / "uv.lock", lock.read_bytes())
            _replace(project.lock, tomlkit.dumps(document).encode())
    return found


def _packages(upgrade: Sequence[str], crates: Sequence[str], folders: Sequence[Path]) -> list[str]:
    """Return which of the names are Python packages; a name that is nothing at all is an error."""
    known = {name for folder in folders for name in _versions(folder / "uv.lock")}
    legal = {*crates, *OUTSIDE, *known}
    for name in upgrade:
        if name not in legal:
            near = difflib.get_close_matches(name, sorted(legal), n=1)
            others = f"there are {', '.join(sorted({*crates, *OUTSIDE}))}, and the packages of each uv.lock"
            hint = f"did you mean {near[0]!r}?" if near else others
            raise UsageError(f"--upgrade {name}: nothing of that name is locked; {hint}")
    return [name for name in upgrade if name not in {*crates, *OUTSIDE}]


def _crates(
    document: tomlkit.TOMLDocument,
    names: Sequence[str],
    upgrade: Sequence[str],
    ask: Callable[[str], Pin],
    found: Changes,
) -> None:
    table: Any = document.setdefault("crates", tomlkit.table())
    for name in names:
        if name in upgrade or name not in table:
            _pin(table, name, f"crate {name}", partial(ask, name), found)


def _pin(table: Any, name: str, what: str, ask: Callable[[], Pin], found: Changes) -> None:  # noqa: ANN401 - tomlkit's
    """Put what a source says under a name; where it is silent, an old pin stays and a note says so."""
    try:
        try:
            fresh = ask()
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise NetworkError(f"the source answers with something else than was expected ({error!r})") from error
    except NetworkError as error:
        if name not in table:
            raise NetworkError(f"{what} has no pin yet, and {error}") from error
        found.notes.append(f"{what} stays as it is: {error}")
        return
    if name not in table:
        table[name] = tomlkit.item(fresh)
        return
    for key, value in fresh.items():
        if table[name].get(key) != value:
            table[name][key] = value


def _relocked(folder: Path, packages: Sequence[str], scratch: Path, found: Changes) -> Path:
    """Return the lock of a project as uv makes it in a copy of its folder; where no index answers, the lock it has."""
    copy = scratch / folder.name
    shutil.copytree(folder, copy, ignore=IGNORED)
    try:
        sources.relock(str(copy), [name for name in packages if name in _versions(folder / "uv.lock")])
    except NetworkError as error:
        locks.fits(folder)
        found.notes.append(f"{folder / 'uv.lock'} stays as it is: {error}")
        return folder / "uv.lock"
    except LockError as error:
        raise LockError(f"uv cannot lock {folder}:\n{error}") from error
    return copy / "uv.lock"


def _versions(lock: Path) -> dict[str, str]:
    """Return the packages of a uv.lock with their versions; a lock that is missing or broken has none."""
    try:
        return locks.versions(lock.read_bytes())
    except (OSError, ValueError):
        return {}


def _moved(old: Mapping[str, str], new: Mapping[str, str], where: str) -> Iterator[str]:
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield f"{where}: {name} {old.get(name, 'none')} → {new.get(name, 'none')}"


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Yield "crate moshi-server 0.6.4 → 0.6.5" and the like; checksums only where nothing else tells of the change."""
    pins = {f"crate {name}": ("crates", name) for name in {**before.get("crates", {}), **after.get("crates", {})}}
    for what, path in [*sorted(pins.items()), *((name, (name,)) for name in OUTSIDE)]:
        old, new = before, after
        for key in path:
            old, new = old.get(key, {}), new.get(key, {})
        moved = [key for key in new if old.get(key) != new[key]]
        told = [key for key in moved if not key.endswith("sha256")] or moved
        for key in told:
            label = what if key == "version" else f"{what} {key}"
            yield f"{label} {old.get(key, 'none')} → {new[key]}"
    for name, value in after.get("projects", {}).items():
        old_value = before.get("projects", {}).get(name, "none")
        if old_value != value:
            yield f"{name}/uv.lock {old_value[:12]} → {value[:12]}"


def _replace(path: Path, content: bytes) -> None:
    """Write a file in one step; one that holds just that is left alone."""
    if path.exists() and path.read_bytes() == content:
        return
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(content)
    fresh.replace(path)
