"""`baker lock`: look up every outside version and write baker.lock. Where a source is silent the old pin stays."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import tomlkit

from baker import locks, run
from baker.errors import CommandError, LockError, NetworkError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from baker.project import Project
    from baker.settings import Mirrors

TIMEOUT = 20
CRATES_INDEX = "https://index.crates.io/"
PYPI_JSON = "https://pypi.org/pypi"
WHEEL_PLATFORM = "manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
SHORT, MIDDLE = 2, 3


def update(project: Project, upgrade: tuple[str, ...], *, write: bool) -> list[str]:
    """Bring baker.lock and each uv.lock up to date and return the changes, one line each.

    Args:
        project: whose lock it is.
        upgrade: names of crates, of "uv", or of Python packages, that move to their newest version.
        write: False writes nothing and only returns what would change.

    Raises:
        LockError: a crate is not in the index.
        NetworkError: something that has no pin yet could not be looked up.
        UsageError: the project is the package's own, which is read-only.
    """
    if project.builtin and write:
        raise UsageError("there is no project here to lock: `baker init DIR` lays one out")
    document = tomlkit.parse(project.lock.read_text(encoding="utf-8")) if project.lock.exists() else tomlkit.document()
    before = document.unwrap()
    services, mirrors = project.services(()), project.settings().mirrors
    for name in sorted({service.crate.name for service in services}):
        _crate(document, name, mirrors, newest=name in upgrade)
    if "uv" in upgrade or "uv" not in document:
        _uv(document)
    for folder in sorted({service.python.project for service in services if service.python}):
        packages = [name for name in upgrade if name != "uv" and name not in before.get("crates", {})]
        _project(document, folder, packages, write=write)
    changes = list(_changes("", before, document.unwrap()))
    if changes and write:
        project.lock.write_text(tomlkit.dumps(document), encoding="utf-8")
    return changes


def latest(entries: str, name: str) -> tuple[str, str]:
    """Return (version, sha256) of the newest release in a crate's index entries, one JSON object to a line."""
    releases = [json.loads(line) for line in entries.splitlines() if line.strip()]
    legal = [item for item in releases if not item["yanked"] and "-" not in item["vers"]]
    if not legal:
        raise LockError(f"the index has no release of the crate {name}")
    best = max(legal, key=lambda item: [int(number) for number in item["vers"].split("+")[0].split(".")])
    return best["vers"], best["cksum"]


def index_path(name: str) -> str:
    """Return where a sparse index keeps a crate, as in "mo/sh/moshi-server"."""
    lower = name.lower()
    if len(lower) <= SHORT:
        return f"{len(lower)}/{lower}"
    return f"3/{lower[0]}/{lower}" if len(lower) == MIDDLE else f"{lower[:2]}/{lower[2:4]}/{lower}"


def _crate(document: tomlkit.TOMLDocument, name: str, mirrors: Mirrors, *, newest: bool) -> None:
    crates: Any = document.setdefault("crates", tomlkit.table())
    if name in crates and not newest:
        return
    url = (mirrors.crates or CRATES_INDEX).rstrip("/") + "/" + index_path(name)
    try:
        version, sha256 = latest(_get(url), name)
    except NetworkError as error:
        if name not in crates:
            raise
        _keep(f"the crate {name}", crates[name]["version"], error)
        return
    crates[name] = tomlkit.item({"version": version, "sha256": sha256})


def _uv(document: tomlkit.TOMLDocument) -> None:
    try:
        release = json.loads(_get(f"{PYPI_JSON}/uv/json"))
    except NetworkError as error:
        if "uv" not in document:
            raise
        _keep("uv", str(document["uv"]["version"]), error)
        return
    wheel = next(file for file in release["urls"] if file["filename"].endswith(WHEEL_PLATFORM))
    document["uv"] = tomlkit.item({"version": release["info"]["version"], "sha256": wheel["digests"]["sha256"]})


def _project(document: tomlkit.TOMLDocument, folder: Path, packages: list[str], *, write: bool) -> None:
    """Let uv bring a project's lock up to date, and pin the result."""
    wanted = [f"--upgrade-package={name}" for name in packages]
    projects: Any = document.setdefault("projects", tomlkit.table())
    lock = folder / "uv.lock"
    try:
        run.capture([_uv_program(), "lock", "--project", str(folder), *wanted, *([] if write else ["--check"])])
    except CommandError as error:
        if write:
            raise LockError(f"uv cannot lock {folder}:\n{error.tail}") from error
        projects[folder.name] = f"out of date: {error.tail.splitlines()[-1] if error.tail else 'uv lock --check'}"
        return
    projects[folder.name] = locks.digest(lock)


def _uv_program() -> str:
    from uv import find_uv_bin  # noqa: PLC0415 - only this command needs it

    return str(find_uv_bin())


def _keep(what: str, version: str, error: Exception) -> None:
    sys.stderr.write(f"note: {what} stays at {version}: {error}\n")


def _get(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:  # noqa: S310 - the schemes are ours or the user's
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        if error.code in (404, 410, 451):
            raise LockError(f"{url}: not found; is the name right?") from error
        raise NetworkError(f"{url} answers HTTP {error.code}") from error
    except (urllib.error.URLError, OSError) as error:
        raise NetworkError(f"{url} cannot be reached: {getattr(error, 'reason', error)}") from error


def _changes(where: str, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return "crates.moshi-server.version: 0.6.4 → 0.6.5" for each value that differs."""
    lines = []
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        path = f"{where}{key}"
        if isinstance(old, dict) or isinstance(new, dict):
            lines += _changes(f"{path}.", old or {}, new or {})
        elif old != new:
            lines.append(f"{path}: {old or 'none'} → {new or 'none'}")
    return lines
