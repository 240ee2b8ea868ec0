"""What a user bakes: a service, read from its folder's service.toml."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from baker import toml
from baker.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from baker.toml import Table

ACCELS = ("cuda", "cpu")
BASES = ("nvidia", "debian")
NAME = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}


@dataclass(frozen=True, kw_only=True)
class Crate:
    """The crate whose binary the service runs. `features` and `links` are by accel."""

    name: str
    binary: str
    features: dict[str, tuple[str, ...]]
    links: dict[str, tuple[str, ...]]
    embeds_python: bool


@dataclass(frozen=True, kw_only=True)
class Python:
    """A uv project with its lock, and what of it the image gets.

    Attributes:
        project: the folder of pyproject.toml and uv.lock.
        venv: whether the image has the whole environment, or only the libraries.
        imports: modules that must import in the image; `ssl` is always tried.
        groups: dependency groups of the environment besides the project's own dependencies.
        libraries: folders of site-packages whose shared libraries the CUDA binary links.
        libraries_group: the dependency group that holds them.
        unused: patterns of files in site-packages that are left out; "*" matches "/" too.
        layers: folders of site-packages that become image layers, in this order.
    """

    project: Path
    venv: bool
    imports: tuple[str, ...]
    groups: tuple[str, ...]
    libraries: tuple[str, ...]
    libraries_group: str
    unused: tuple[str, ...]
    layers: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class File:
    """A file or folder that is copied into the image."""

    source: Path
    target: str
    mode: str


@dataclass(frozen=True, kw_only=True)
class Image:
    """How the image runs. `start` is a script that gets the command's arguments; empty starts the binary itself."""

    command: tuple[str, ...]
    start: str
    workdir: str
    port: int
    mounts: tuple[str, ...]
    folders: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    files: tuple[File, ...]
    tools: tuple[Path, ...]
    health: tuple[str, ...]
    packages: dict[str, tuple[str, ...]]
    budget: int


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """What verify lets pass: patterns of paths in the image, as in "*/lib/libx_*"; "*" matches "/" too.

    Attributes:
        unresolved: libraries and programs that need libraries which are not there.
        duplicates: large files that are there more than once.
    """

    unresolved: tuple[str, ...]
    duplicates: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service: a folder with a service.toml."""

    name: str
    folder: Path
    title: str
    description: str
    crate: Crate
    python: Python | None
    image: Image
    allowed: Allowed

    @property
    def imports(self) -> tuple[str, ...]:
        """The modules that the image must be able to import; none where it has no environment."""
        return ("ssl", *self.python.imports) if self.python and self.python.venv else ()


def load(folder: Path) -> Service:
    """Read a service from its folder.

    Raises:
        UsageError: service.toml is missing or wrong; the message names file, table and key.
    """
    if not NAME.fullmatch(folder.name):
        raise UsageError(
            f"{folder}: a service's folder has lower case, digits, '-' and '_' in its name, as the image has"
        )
    path = folder / "service.toml"
    top = toml.Table(_inherit(path, ()), str(path))
    service = Service(
        name=folder.name,
        folder=folder,
        title=top.text("title", folder.name),
        description=top.text("description", ""),
        crate=_crate(top.table("crate")),
        python=_python(top.table("python")) if "python" in top.values else None,
        image=_image(top.table("image")),
        allowed=_allowed(top.table("verify")),
    )
    top.end()
    if service.crate.embeds_python and service.python is None:
        raise UsageError(f"{path}: [crate] embeds-python needs a [python] table with the project to embed")
    return service


def size(text: str, where: str) -> int:
    """Return the bytes of a size such as "1.35 GB" (units of a thousand)."""
    number, _, unit = text.partition(" ")
    try:
        return round(float(number) * UNITS[unit])
    except (ValueError, KeyError):
        raise UsageError(f"{where}: {text!r} is no size; write it as in '1.35 GB'") from None


def _crate(table: Table) -> Crate:
    features, links = table.table("features"), table.table("links")
    crate = Crate(
        name=table.text("name"),
        binary=table.text("binary", table.values.get("name", "")),
        features={accel: features.strings(accel) for accel in ACCELS},
        links={accel: links.strings(accel) for accel in ACCELS},
        embeds_python=table.flag("embeds-python", default=False),
    )
    for part in (table, features, links):
        part.end()
    return crate


def _python(table: Table) -> Python:
    python = Python(
        project=table.path("project"),
        venv=table.flag("venv", default=False),
        imports=table.strings("imports"),
        groups=table.strings("groups"),
        libraries=table.strings("libraries"),
        libraries_group=table.text("libraries-group", "libraries"),
        unused=table.strings("unused"),
        layers=table.groups("layers"),
    )
    table.end()
    return python


def _image(table: Table) -> Image:
    env, packages = table.table("env"), table.table("packages")
    image = Image(
        command=table.strings("command"),
        start=table.text("start", ""),
        workdir=table.text("workdir", "/app"),
        port=table.integer("port", 0),
        mounts=table.strings("mounts"),
        folders=table.strings("folders"),
        env=tuple(env.words().items()),
        files=tuple(_file(item) for item in table.tables("files")),
        tools=table.paths("tools"),
        health=table.strings("health"),
        packages={base: packages.strings(base) for base in BASES},
        budget=size(table.text("budget", "0 B"), f"{table.where} budget"),
    )
    for part in (table, packages):
        part.end()
    return image


def _allowed(table: Table) -> Allowed:
    allowed = Allowed(unresolved=table.strings("unresolved"), duplicates=table.strings("duplicates"))
    table.end()
    return allowed


def _file(table: Table) -> File:
    file = File(source=table.path("from"), target=table.text("to"), mode=table.text("mode", ""))
    table.end()
    return file


def _inherit(path: Path, heirs: tuple[Path, ...]) -> dict[str, Any]:
    """Return the values of a service.toml over those of the file it inherits; paths are absolute from here on."""
    if path in heirs:
        raise UsageError(f"{path}: inherits itself")
    own = toml.read(path)
    parent = own.text("inherits", "")
    values = {key: value for key, value in own.values.items() if key != "inherits"}
    _locate(values, path)
    return _merge(_inherit((path.parent / parent).resolve(), (*heirs, path)), values) if parent else values


def _locate(values: dict[str, Any], path: Path) -> None:
    """Replace each relative path in the values by the absolute one; a path that is missing is an error."""

    def real(name: object, table: str) -> Path:
        if not isinstance(name, str):
            raise UsageError(f"{path} {table}: {name!r} is no path")
        found = (path.parent / name).resolve()
        if not found.exists():
            raise UsageError(f"{path} {table}: there is no {name!r} beside the file")
        return found

    python, image = values.get("python"), values.get("image")
    if isinstance(python, dict) and "project" in python:
        python["project"] = real(python["project"], "[python] project")
    if isinstance(image, dict):
        if isinstance(image.get("tools"), list):
            image["tools"] = [real(tool, "[image] tools") for tool in image["tools"]]
        files = image.get("files")
        for file in files if isinstance(files, list) else ():
            if not isinstance(file, dict) or "from" not in file:
                raise UsageError(f"{path} [[image.files]]: 'from' is missing")
            file["from"] = real(file["from"], "[[image.files]] from")


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Lay one table over another: tables are merged, [[image.files]] are joined, everything else is replaced."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[key] = _merge(old, value)
        elif key == "files" and isinstance(old, list):
            merged[key] = [*old, *value]
        else:
            merged[key] = value
    return merged
