"""The libraries of every ELF file of an image, found as the loader finds them, for a platform that does not run here.

The order is that of ld.so(8): DT_RPATH of the file and of what loaded it, DT_RUNPATH, the folders of /etc/ld.so.conf,
and those that are built in. Symbol versions are not looked at; `starts` and `ready` load the programs themselves.
"""

from __future__ import annotations

import posixpath
import re
import tarfile
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING

from baker.verify import elf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baker.config.platforms import Platform
    from baker.verify.elf import Object

LEAST, IN_MEMORY, CHUNK = 64, 64 * 10**6, 10**6
MOST_LINKS = 40
CONFIGURED = re.compile(r"/etc/ld\.so\.conf(\.d/[^/]+\.conf)?")


@dataclass(frozen=True, kw_only=True)
class Tree:
    """What the loader sees of a file system. All paths are absolute.

    Attributes:
        objects: the ELF files that can be loaded.
        damaged: those that cannot, and why.
        links: where symbolic and hard links lead to.
        folders: those of /etc/ld.so.conf.
    """

    objects: dict[str, Object] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)

    def real(self, path: str) -> str:
        """Return where a path leads to, all links followed; a circle leads back to the path."""
        left, found, links = [part for part in path.split("/") if part], "/", 0
        while left:
            part = left.pop(0)
            found = posixpath.dirname(found) if part == ".." else posixpath.join(found, part)
            if found in self.links:
                links += 1
                if links > MOST_LINKS:
                    return path
                target = posixpath.join(posixpath.dirname(found), self.links[found])
                left = [part for part in posixpath.normpath(target).split("/") if part] + left
                found = "/"
        return found


@dataclass(frozen=True, kw_only=True)
class Closure:
    """What was found: the ELF files, (path, library) that is not there, and "PATH: WHY" of what cannot be loaded."""

    files: tuple[str, ...]
    needs: tuple[tuple[str, str], ...]
    unloadable: tuple[str, ...]


def read(stream: IO[bytes]) -> Tree:
    """Return what the loader sees of a file system, from its tar stream."""
    tree = Tree()
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            path = posixpath.normpath(f"/{member.name}")
            if member.issym():
                tree.links[path] = member.linkname
            elif member.islnk():
                # One more name of a file that came before.
                target = posixpath.normpath(f"/{member.linkname}")
                if target in tree.objects:
                    tree.objects[path] = tree.objects[target]
                else:
                    tree.links[path] = target
            elif member.isreg() and (content := archive.extractfile(member)):
                if CONFIGURED.fullmatch(path):
                    lines = content.read().decode(errors="replace").splitlines()
                    tree.folders.extend(line.strip() for line in lines if line.startswith("/"))
                elif member.size >= LEAST:
                    _look(tree, path, content)
    return tree


def _look(tree: Tree, path: str, content: IO[bytes]) -> None:
    start = content.read(len(elf.MAGIC))
    if start != elf.MAGIC:
        return
    with SpooledTemporaryFile(max_size=IN_MEMORY) as copy:
        copy.write(start)
        while chunk := content.read(CHUNK):
            copy.write(chunk)
        copy.seek(0)
        try:
            found = elf.read(copy)
        except elf.DamagedError as error:
            tree.damaged[path] = str(error)
            return
    if found:
        tree.objects[path] = found


def resolve(tree: Tree, platform: Platform) -> Closure:
    """Look for the libraries of every ELF file, and of those in turn; each has to be for the platform."""
    system = (
        *tree.folders,
        *(f"{top}/{inner}" for inner in (platform.triplet, "") for top in ("/lib", "/usr/lib")),
        "/lib64",
        "/usr/lib64",
    )
    foreign = {path for path, item in tree.objects.items() if item.machine != platform.machine}
    wrong = [f"{path}: it is for {tree.objects[path].machine}" for path in sorted(foreign)]
    wrong += [f"{path}: {why}" for path, why in sorted(tree.damaged.items())]
    needs = [
        (path, name)
        for path in sorted(tree.objects.keys() - foreign)
        for name in dict.fromkeys(_missing(tree, path, system, platform))
    ]
    return Closure(files=tuple(sorted({*tree.objects, *tree.damaged})), needs=tuple(needs), unloadable=tuple(wrong))


def _missing(tree: Tree, start: str, system: tuple[str, ...], platform: Platform) -> Iterator[str]:
    """Yield the libraries that the loader would not find for a file, breadth first, as it looks for them."""
    queue: list[tuple[str, tuple[str, ...]]] = [(start, ())]
    loaded = {tree.objects[start].soname}
    while queue:
        path, inherited = queue.pop(0)
        item = tree.objects[tree.real(path)]
        own = tuple(_expand(folder, path, platform) for folder in item.rpath)
        chain = (*own, *inherited)
        folders = (
            *(() if item.runpath else chain),
            *(_expand(folder, path, platform) for folder in item.runpath),
            *system,
        )
        for name in item.needed:
            if name in loaded:
                continue
            loaded.add(name)
            found = _find(tree, name, folders, platform)
            if found:
                loaded.add(tree.objects[tree.real(found)].soname)
                queue.append((found, chain))
            else:
                yield name


def _find(tree: Tree, name: str, folders: tuple[str, ...], platform: Platform) -> str:
    paths = [name] if "/" in name else [posixpath.join(folder, name) for folder in folders]
    for path in paths:
        item = tree.objects.get(tree.real(path))
        # The loader passes over a library of another processor.
        if item and item.machine == platform.machine:
            return path
    return ""


def _expand(folder: str, path: str, platform: Platform) -> str:
    """Return a folder of a search path with the loader's own words put in."""
    words = {"ORIGIN": posixpath.dirname(path), "LIB": f"lib/{platform.triplet}", "PLATFORM": platform.machine}
    return posixpath.normpath(re.sub(r"\$\{?(ORIGIN|LIB|PLATFORM)\}?", lambda match: words[match[1]], folder))
