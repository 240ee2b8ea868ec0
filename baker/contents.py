"""What lies in an image's file system: nothing setuid, no compiler, nothing twice, and no library that is missing."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from baker.checks import Check, said, skip, why
from baker.errors import CommandError, EngineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from baker.expected import Expected

# What belongs to the host's driver; the container toolkit mounts it.
DRIVER = re.compile(r"lib(cuda|nvidia-[\w-]+|nvcuvid)\.so\.1")
# Which programs a package that is installed on purpose brings.
GCC = ("cc", "cc1", "gcc")
BRINGS = {
    "cargo": ("cargo", "rustc"),
    "clang": ("clang", "clang++"),
    "g++": (*GCC, "c++", "cc1plus", "g++"),
    "gcc": GCC,
    "nvidia-cuda-toolkit": ("cicc", "nvcc"),
    "rustc": ("rustc",),
}
AFFIXES = re.compile(r"^\w+-linux-gnu-|-[0-9.]+$")
SHOWN = 8


def check(reference: str, expected: Expected, *, libraries: bool) -> tuple[Check, ...]:
    """Look through an image's file system. `libraries` says whether to ask the loader about every ELF file too."""
    try:
        # As root, who may read every folder and nothing else.
        argument = ("libraries",) if libraries else ()
        lines = said(reference, "files", argument, user="0:0", cap_add=["DAC_READ_SEARCH"]).splitlines()
    except (CommandError, EngineError) as error:
        return (Check(name="files", passed=False, detail=why(error)),)
    found: dict[str, list[tuple[str, ...]]] = {}
    for line in lines:
        kind, *words = line.split("\t")
        found.setdefault(kind, []).append(tuple(words))
    checks = [
        _none("setuid", (path for (path,) in found.get("setuid", ())), "nothing is setuid or setgid"),
        compilers([path for (path,) in found.get("compiler", ())], expected),
        duplicates([path for _, path in found.get("twice", ())], expected),
    ]
    if libraries:
        files = [path for (path,) in found.get("elf", ())]
        needs = [(path, name) for path, name in found.get("needs", ())]
        unloadable = [f"{path}: {why}" for path, why in found.get("unloadable", ())]
        checks.append(resolved(files, needs, unloadable, expected))
    return tuple(checks)


def compilers(paths: Sequence[str], expected: Expected) -> Check:
    """Allow the compilers of packages that are installed on purpose, and no other."""
    if expected.builder:
        return skip("compilers", "a builder has the toolchain on purpose")
    allowed = {program for package in expected.packages for program in BRINGS.get(package, ())}
    wrong = [path for path in paths if AFFIXES.sub("", path.rpartition("/")[2]) not in allowed]
    declared = ", ".join(sorted(set(expected.packages) & BRINGS.keys()))
    return _none("compilers", wrong, f"only {declared}, which is asked for" if declared else "none")


def duplicates(paths: Sequence[str], expected: Expected) -> Check:
    """Allow the large files of service.toml to be there more than once, and no other."""
    wrong = [path for path in paths if not _allowed(path, expected.duplicates)]
    more = f" but {len(paths) - len(wrong)} that service.toml lets pass" if len(paths) > len(wrong) else ""
    return _none("duplicates", wrong, f"no large file twice{more}")


def resolved(
    files: Sequence[str], needs: Sequence[tuple[str, str]], unloadable: Sequence[str], expected: Expected
) -> Check:
    """Judge what the loader did not find: (path, library) in `needs`.

    Extension modules of a Python environment may count on a library of the same environment that is loaded by the time
    they are imported: torch's do, whose `import torch` loads its libraries first.
    """
    present = {(_environment(path), path.rpartition("/")[2]) for path in files}
    lost, first, passed = list(unloadable), 0, set()
    for path, name in needs:
        if DRIVER.fullmatch(name):
            continue
        if _allowed(path, expected.unresolved):
            passed.add(path)
        elif _environment(path) and (_environment(path), name) in present:
            first += 1
        else:
            lost.append(f"{path} needs {name}")
    more = f", {first} by what Python loads first" if first else ""
    more += f", but for {len(passed)} that service.toml lets pass" if passed else ""
    return _none("libraries", lost, f"{len(files)} ELF files find what they need{more}")


def _allowed(path: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _environment(path: str) -> str:
    """Return the site-packages that a file lies in; empty where it lies in none."""
    before, found, _ = path.partition("/site-packages/")
    return before if found else ""


def _none(name: str, wrong: Iterable[str], otherwise: str) -> Check:
    """Return a check that passes when nothing is wrong."""
    listed = sorted(wrong)
    text = ", ".join(listed[:SHOWN]) + (f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else "")
    return Check(name=name, passed=not listed, detail=text or otherwise)
