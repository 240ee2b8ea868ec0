"""What is read of a cargo project's Cargo.toml."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from baker.config import model, toml, values
from baker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class _Package(msgspec.Struct, frozen=True):
    name: Annotated[values.Crate, model.about("The package, and its binary.")]


class _Cargo(msgspec.Struct, frozen=True):
    package: dict[str, Any] = {}
    workspace: dict[str, Any] = {}


class _Manifest(msgspec.Struct, frozen=True):
    package: _Package


def package(folder: Path) -> str:
    """Return the name of the package in a folder.

    Raises:
        UsageError: there is no Cargo.toml, or it is broken.
    """
    path = folder / "Cargo.toml"
    if not path.exists():
        raise UsageError(f"{folder}: no Cargo.toml there; a tool is a cargo project")
    return model.read(_Manifest, toml.read(path), str(path), texts=False).package.name


def version(read: Callable[[str], bytes | None], folder: str, where: str) -> str:
    """Return the version of a package, which it may have from its workspace.

    Args:
        read: returns what a file below the top holds, None where there is none.
        folder: the package's folder below the top; empty is the top itself.
        where: what the top is called in messages.

    Raises:
        UsageError: there is no Cargo.toml, or it says no version.
    """
    place = PurePosixPath(folder)
    manifest = _read(read, place, where)
    if manifest is None:
        raise UsageError(f"{where}: no Cargo.toml in {folder or 'its top folder'}; [crate] folder names its place")
    found = manifest.package.get("version", "0.0.0")
    for above in (place, *place.parents):
        if isinstance(found, str):
            break
        outer = _read(read, above, where)
        shared = outer.workspace.get("package") if outer else None
        if isinstance(shared, dict) and "version" in shared:
            found = shared["version"]
    if not isinstance(found, str):
        raise UsageError(f"{where}: the Cargo.toml in {folder or 'its top folder'} says no version")
    return found


def locked(lock: bytes, where: str) -> dict[str, tuple[str, ...]]:
    """Return the versions of each package in a Cargo.lock."""
    found: dict[str, tuple[str, ...]] = {}
    for item in toml.parse(lock, where).get("package", ()):
        name = str(item.get("name", ""))
        found[name] = (*found.get(name, ()), str(item.get("version", "")))
    return found


def cudarc(lock: bytes, where: str) -> str:
    """Return the newest cudarc of a Cargo.lock; empty where it has none."""
    found = locked(lock, where).get("cudarc", ())
    return max(found, key=lambda text: [int(part) for part in text.split(".")], default="")


def _read(read: Callable[[str], bytes | None], place: PurePosixPath, where: str) -> _Cargo | None:
    content = read((place / "Cargo.toml").as_posix())
    if content is None:
        return None
    file = f"{where}/{place / 'Cargo.toml'}"
    return model.read(_Cargo, toml.parse(content, file), file, texts=False)
