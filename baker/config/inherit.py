"""What a service.toml inherits: its own tables are laid over those of the file that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from baker.config import faults, model, toml
from baker.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from msgspec import Struct


def read(path: Path, model_of: type[Struct], heirs: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Return the values of a service.toml over those of the file it inherits; paths are absolute from here on.

    Raises:
        UsageError: a file is no TOML, is not what the model says, or names a file that is not there.
    """
    if path in heirs:
        raise UsageError(f"{path}: inherits itself")
    values = toml.read(path)
    model.check_part(model_of, values, str(path))
    parent = values.pop("inherits", "")
    _locate(values, path)
    if not parent:
        return values
    return _merge(read(_real(parent, path, "inherits"), model_of, (*heirs, path)), values)


def _locate(values: dict[str, Any], path: Path) -> None:
    """Replace each relative path in the values by the absolute one."""
    python, image, crate = values.get("python", {}), values.get("image", {}), values.get("crate", {})
    for key in ("path", "lock"):
        if key in crate:
            crate[key] = str(_real(crate[key], path, f"[crate] {key}"))
    if "patches" in crate:
        crate["patches"] = [str(_real(patch, path, "[crate] patches")) for patch in crate["patches"]]
    if "project" in python:
        python["project"] = str(_real(python["project"], path, "[python] project"))
    if "tools" in image:
        image["tools"] = [str(_real(tool, path, "[image] tools")) for tool in image["tools"]]
    if "from" in image.get("page", {}):
        image["page"]["from"] = str(_real(image["page"]["from"], path, "[image.page] from"))
    for file in image.get("files", ()):
        file["from"] = str(_real(file["from"], path, "[[image.files]] from"))
    for release, toolkit in values.get("toolkits", {}).items():
        toolkit |= {
            key: str(_real(toolkit[key], path, f'[toolkits."{release}"] {key}'))
            for key in ("project", "lock")
            if key in toolkit
        }


def _real(name: str, path: Path, where: str) -> Path:
    """Return the absolute path of what a file names beside itself, or raise UsageError."""
    try:
        found = (path.parent / name).resolve()
        there = bool(name) and found.exists()
    except (OSError, RuntimeError) as error:
        # A loop of links, a name that is too long.
        reason = getattr(error, "strerror", None) or "a loop of links"
        raise UsageError(f"{path} {where}: {faults.shown(name)} cannot be read: {reason}") from error
    if not there:
        raise UsageError(f"{path} {where}: there is no {faults.shown(name)} beside the file")
    return found


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Lay one table over another: tables are merged, [[image.files]] are joined, everything else is replaced."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(old, dict):
            merged[key] = _merge(old, value)
        elif key == "files" and old:
            merged[key] = [*old, *value]
        else:
            merged[key] = value
    return merged
