"""What differs between two images: packages, files and bytes."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker.dockerfile.render import TEMPLATES
from baker.errors import CommandError, EngineError
from baker.verify import inventory
from baker.verify.checks import said

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from baker.engine.interface import Engine

SCRIPTS = TEMPLATES / "inspect"
LIST, NAME = "/list", "paths"
ROOT = {"user": "0:0", "cap_add": ["DAC_READ_SEARCH"]}
# In the place of bytes in a name that are no UTF-8.
UNREADABLE = "\N{REPLACEMENT CHARACTER}"
ADDED, REMOVED, CHANGED = "added", "removed", "changed"


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package that differs. `kind` is deb, pypi, cargo or generic; a version is empty where it is missing."""

    kind: str
    name: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class File:
    """A file that differs: added, removed or changed, with its bytes before and after."""

    path: str
    state: str
    before: int
    after: int


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What differs.

    Attributes:
        names: what the two images are called.
        sizes: the bytes of their layers, unpacked.
        shared: the bytes of the layers that both have.
        packages: by kind and name; None where one of the images has no Debian packages.
        files: those with the most bytes first.
    """

    names: tuple[str, str]
    sizes: tuple[int, int]
    shared: int
    packages: tuple[Package, ...] | None
    files: tuple[File, ...]


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """A file as `find` tells of it. `rest` is what has to be the same: its kind, mode, owner and target."""

    size: int
    time: str
    rest: tuple[str, ...]


def compare(engine: Engine, before: str, after: str, say: Callable[[str], None]) -> Difference:
    """Compare two local images.

    Raises:
        EngineError: one is not here, or has neither bash nor find.
    """
    ours, theirs = (engine.layers(name) for name in (before, after))
    digests = {layer.digest for layer in theirs}
    return Difference(
        names=(before, after),
        sizes=(engine.uncompressed_size(before), engine.uncompressed_size(after)),
        shared=sum(layer.size for layer in ours if layer.digest in digests),
        packages=_packages(engine, before, after, say),
        files=_files(engine, before, after),
    )


def _packages(engine: Engine, before: str, after: str, say: Callable[[str], None]) -> tuple[Package, ...] | None:
    try:
        old, new = (versions(inventory.read(engine, name)) for name in (before, after))
    except CommandError as error:
        why = error.tail.rpartition("\n")[2]
        say(f"packages are not compared, since they cannot be listed in both images: {why}")
        return None
    return changed_packages(old, new)


def versions(listed: str) -> dict[tuple[str, str], str]:
    """Return the versions of packages by kind and name; a crate may be there in several."""
    found: dict[tuple[str, str], list[str]] = {}
    for package, _ in inventory.packages(listed):
        found.setdefault((package.type, package.name), []).append(package.version or "")
    return {key: ", ".join(sorted(set(several))) for key, several in found.items()}


def changed_packages(old: Mapping[tuple[str, str], str], new: Mapping[tuple[str, str], str]) -> tuple[Package, ...]:
    """Return the packages whose versions differ."""
    return tuple(
        Package(kind=kind, name=name, before=old.get((kind, name), ""), after=new.get((kind, name), ""))
        for kind, name in sorted({*old, *new})
        if old.get((kind, name)) != new.get((kind, name))
    )


def _files(engine: Engine, before: str, after: str) -> tuple[File, ...]:
    old, new = (entries(_run(engine, name, "files")) for name in (before, after))
    # Of files that differ in nothing but their time, the content decides; reading all of it would take minutes.
    doubtful = sorted(
        path for path in old.keys() & new.keys() if _alike(old[path], new[path]) and UNREADABLE not in path
    )
    same: set[str] = set()
    if doubtful:
        ours, theirs = (_sums(engine, name, doubtful) for name in (before, after))
        same = {path for path in doubtful if ours.get(path) == theirs.get(path)}
    return changed_files(old, new, same)


def _alike(old: _Entry, new: _Entry) -> bool:
    return old != new and (old.size, old.rest) == (new.size, new.rest) and old.rest[0] == "f"


def entries(listed: str) -> dict[str, _Entry]:
    """Return the files that dockerfiles/inspect/files printed, by their path."""
    found = {}
    for line in listed.splitlines():
        kind, size, time, mode, owner, target, path = line.split("\t", 6)
        found[path] = _Entry(size=int(size), time=time if kind == "f" else "", rest=(kind, mode, owner, target))
    return found


def changed_files(old: Mapping[str, _Entry], new: Mapping[str, _Entry], same: set[str]) -> tuple[File, ...]:
    """Return the files that differ, those with the most bytes first; `same` are known to have the same content."""
    found = []
    for path in {*old, *new}:
        first, second = old.get(path), new.get(path)
        if first == second or path in same:
            continue
        state = ADDED if first is None else REMOVED if second is None else CHANGED
        sizes = (first.size if first else 0, second.size if second else 0)
        found.append(File(path=path, state=state, before=sizes[0], after=sizes[1]))
    return tuple(sorted(found, key=lambda file: (-max(file.before, file.after), file.path)))


def _sums(engine: Engine, reference: str, paths: Sequence[str]) -> dict[str, str]:
    listed = _run(engine, reference, "sums", f"{LIST}/{NAME}", volume=(LIST, _tar("\n".join(paths) + "\n")))
    lines = (line.partition("  ") for line in listed.splitlines())
    return {path: digest for digest, _, path in lines}


def _run(engine: Engine, reference: str, script: str, *arguments: str, **options: object) -> str:
    try:
        return said(engine, reference, script, arguments, folder=SCRIPTS, **ROOT, **options)
    except CommandError as error:
        raise EngineError(f"{reference} cannot be looked into: {error.tail or error}") from error


def _tar(text: str) -> bytes:
    buffer, content = io.BytesIO(), text.encode(errors="surrogateescape")
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo(NAME)
        member.size, member.mode = len(content), 0o644
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
