"""`baker lock`: look up every outside version and write baker.lock. Where a source is silent the old pin stays."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomlkit
from packaging.version import Version

from baker.config import pins, uvlock
from baker.config.cargo import locked
from baker.errors import LockError, NetworkError, UsageError
from baker.lock import cargo, git, uv
from baker.system import files
from baker.system.suggestion import closest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from baker.config.project import Project
    from baker.config.service import Crate
    from baker.lock.sources import Sources

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


@dataclass(kw_only=True)
class Changes:
    """What a look at the sources came to.

    Attributes:
        lines: what has changed, for people.
        notes: the sources that were silent.
        missed: the names to upgrade that were not looked up, since their source was silent.
    """

    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)


def update(project: Project, upgrade: Sequence[str], sources: Sources, *, write: bool) -> Changes:
    """Bring baker.lock and each uv.lock up to date: all of them or, when anything fails, none.

    Args:
        project: whose lock it is.
        upgrade: what moves to its newest version: crates, Python packages, and names of OUTSIDE.
        sources: where versions are looked up.
        write: False writes nothing and only returns what would change.

    Raises:
        LockError: a crate or a package is not in its index, or has no solution.
        NetworkError: something that has no pin yet could not be looked up.
        UsageError: there is nothing of a name to upgrade, or the project is the package's own, which is read-only.
    """
    if project.builtin and write:
        raise UsageError("there is no project here to lock: `baker init DIR` lays one out")
    document = tomlkit.parse(pins.written(project.lock))
    before = document.unwrap()
    services = project.read_services(())
    crates = {service.crate.name: service.crate for service in services if not service.crate.path}
    folders = sorted(
        {
            *(service.python.project for service in services if service.python),
            *(toolkit.project for service in services for toolkit in service.toolkits.values()),
        }
    )
    packages = _packages(upgrade, crates, folders)
    found = Changes()
    python, debian, nvidia = ({**DEFAULTS[name], **before.get(name, {})} for name in ("python", "debian", "nvidia"))
    asks: dict[str, Callable[[], Pin]] = {
        "uv": sources.uv,
        "python": partial(uv.python, python["version"]),
        "rust": sources.rust,
        "nvidia": lambda: {**nvidia, **{key: sources.image(nvidia[key]) for key in ("devel", "runtime")}},
        "debian": partial(sources.debian, debian["suite"]),
    }
    for name in OUTSIDE:
        if name in upgrade or not pins.is_whole(name, before.get(name, {})):
            _pin(document, name, name, asks[name], found, upgrade=name in upgrade)
    rust = _rust(document.unwrap(), project.read_settings().base)
    _crates(document, crates, upgrade, partial(_source, sources, rust), found)
    with tempfile.TemporaryDirectory(prefix="baker-lock-") as scratch:
        # A folder of its own for each: the names of two may be the same.
        copies = {folder: Path(scratch, str(number)) for number, folder in enumerate(folders)}
        fresh = {folder: _relocked(folder, packages, copies[folder], found) for folder in folders}
        pinned: Any = tomlkit.table()
        for folder, lock in fresh.items():
            name = _inside(folder, project.services_folder)
            pinned[name] = uvlock.digest(lock)
            found.lines += _moved(_versions(folder / "uv.lock"), _versions(lock), f"{name}/uv.lock")
        if dict(pinned) != before.get("projects"):
            document["projects"] = pinned
        cargo_locks = cargo.locks(services, document.unwrap().get("crates", {}), sources, Path(scratch, "cargo"))
        for path, content in cargo_locks.items():
            where = _inside(path, project.services_folder)
            found.lines += _moved(_crate_versions(path.read_bytes(), where), _crate_versions(content, where), where)
        found.lines[:0] = _differences(before, document.unwrap())
        if write and found.lines:
            for folder, lock in fresh.items():
                _replace(folder / "uv.lock", lock.read_bytes())
            for path, content in cargo_locks.items():
                _replace(path, content)
            _replace(project.lock, tomlkit.dumps(document).encode())
    return found


def _crate_versions(lock: bytes, where: str) -> dict[str, str]:
    return {name: ", ".join(versions) for name, versions in locked(lock, where).items()}


def _rust(pinned: Mapping[str, Any], base: str) -> str:
    """Return the Rust that crates have to compile with: a base's newest, and the older one where it may be either."""
    debian = pinned["debian"]
    of_base = {
        "debian": debian.get("rust-backports", "") or debian.get("rust", ""),
        "nvidia": pinned["rust"].get("toolchain", ""),
    }
    return of_base.get(base, "") or min(filter(None, of_base.values()), key=Version, default="")


def _inside(folder: Path, services: Path) -> str:
    """Return the path of a Python project from the services' folder, as baker.lock names it."""
    return Path(os.path.relpath(folder, services)).as_posix()


def _packages(upgrade: Sequence[str], crates: Iterable[str], folders: Sequence[Path]) -> list[str]:
    """Return which of the names are Python packages; a name that is nothing at all is an error."""
    known = {name for folder in folders for name in _versions(folder / "uv.lock")}
    legal = {*crates, *OUTSIDE, *known}
    for name in upgrade:
        if name not in legal:
            others = f"there are {', '.join(sorted({*crates, *OUTSIDE}))}, and the packages of each uv.lock"
            raise UsageError(f"--upgrade {name}: nothing of that name is locked; {closest(name, legal, others)}")
    return [name for name in upgrade if name not in {*crates, *OUTSIDE}]


def _crates(
    document: tomlkit.TOMLDocument,
    crates: Mapping[str, Crate],
    upgrade: Sequence[str],
    ask: Callable[[Crate], Callable[[], Pin]],
    found: Changes,
) -> None:
    kept = document.setdefault("crates", tomlkit.table()).items()
    # What no service bakes any more does not stay, nor what was pinned to another crate.
    stays = {name: pin for name, pin in kept if name in crates and _wanted(crates[name], pin)}
    if len(stays) < len(kept):
        # tomlkit deletes nothing from a table that is written in several places.
        document["crates"] = tomlkit.table(is_super_table=True)
        document["crates"].update(stays)
    table: Any = document["crates"]
    for name, crate in sorted(crates.items()):
        if name in upgrade or name not in table:
            _pin(table, name, f"crate {name}", ask(crate), found, upgrade=name in upgrade)


def _source(sources: Sources, rust: str, crate: Crate) -> Callable[[], Pin]:
    """Return what asks for the pin of a crate."""
    if crate.git:
        return partial(git.pin, crate)
    return partial(sources.crate, crate.name, only=crate.version, rust=rust)


def _wanted(crate: Crate, pin: Mapping[str, str]) -> bool:
    """Whether a pin is of the source that a service names."""
    same = (pin.get("git", ""), pin.get("commit", "")) == (crate.git, crate.commit)
    return same and crate.version in ("", pin.get("version", ""))


def _pin(
    table: Any,  # noqa: ANN401 - tomlkit's
    name: str,
    what: str,
    ask: Callable[[], Pin],
    found: Changes,
    *,
    upgrade: bool,
) -> None:
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
        if upgrade:
            found.missed.append(name)
        return
    if name not in table:
        table[name] = tomlkit.item(fresh)
        return
    for key in set(table[name]) - set(fresh):
        # Of a lock of an earlier release.
        del table[name][key]
    for key, value in fresh.items():
        if table[name].get(key) != value:
            table[name][key] = value


def _relocked(folder: Path, packages: Sequence[str], scratch: Path, found: Changes) -> Path:
    """Return the lock of a project as uv makes it in a copy of its folder; where no index answers, the lock it has."""
    copy = scratch / folder.name
    shutil.copytree(folder, copy, ignore=files.ignore_leftovers)
    wanted = [name for name in packages if name in _versions(folder / "uv.lock")]
    try:
        uv.relock(str(copy), wanted)
    except NetworkError as error:
        uvlock.fits(folder)
        found.notes.append(f"{folder / 'uv.lock'} stays as it is: {error}")
        found.missed += (name for name in wanted if name not in found.missed)
        return folder / "uv.lock"
    except LockError as error:
        raise LockError(f"uv cannot lock {folder}:\n{error}") from error
    return copy / "uv.lock"


def _versions(lock: Path) -> dict[str, str]:
    """Return the packages of a uv.lock with their versions; a lock that is missing or broken has none."""
    try:
        return uvlock.versions(lock.read_bytes())
    except (OSError, LockError):
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
        if old and not new:
            yield f"{what} is pinned no longer: no service bakes it"
        moved = [key for key in new if old.get(key) != new[key]]
        # With another version come another sum, and another Rust that the crate wants.
        told = [key for key in moved if "sha256" not in key and not ("version" in moved and key == "rust")] or moved
        for key in told:
            label = what if key == "version" else f"{what} {key}"
            yield f"{label} {old.get(key, 'none')} → {new[key]}"
    for name, value in after.get("projects", {}).items():
        old_value = before.get("projects", {}).get(name, "none")
        if old_value != value:
            yield f"{name}/uv.lock {old_value[:12]} → {value[:12]}"
    for name in sorted({*before.get("projects", {})} - {*after.get("projects", {})}):
        yield f"{name}/uv.lock is pinned no longer"


def _replace(path: Path, content: bytes) -> None:
    """Write a file in one step; one that holds just that is left alone."""
    if path.exists() and path.read_bytes() == content:
        return
    files.write_atomically(path, content)
