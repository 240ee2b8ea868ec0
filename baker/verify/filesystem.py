"""What lies in an image's file system: nothing setuid, no compiler, nothing twice, and no library that is missing."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from baker.engine import containers
from baker.errors import CommandError, EngineError
from baker.verify import closure
from baker.verify.checks import Check, said, skip, why

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from baker.config.platforms import Platform
    from baker.dockerfile.requirements import Requirements
    from baker.engine.interface import Engine

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
KINDS = ("setuid", "compiler", "twice", "elf", "needs", "unloadable")


def check(
    engine: Engine, reference: str, expected: Requirements, *, libraries: bool, foreign: Platform | None = None
) -> tuple[Check, ...]:
    """Look through an image's file system.

    Args:
        engine: where the image is.
        reference: the image.
        expected: what it must be.
        libraries: whether to look for the libraries of every ELF file too: the image's own loader is asked.
        foreign: the image's platform where the engine has to emulate it: then the files are read instead, as asking an
            emulated loader some thousand times takes very long.
    """
    try:
        # As root, who may read every folder and nothing else.
        argument = ("libraries",) if libraries and not foreign else ()
        lines = said(engine, reference, "files", argument, user="0:0", cap_add=["DAC_READ_SEARCH"]).splitlines()
    except (CommandError, EngineError) as error:
        return (Check(name="files", passed=False, detail=why(error)),)
    found = listed(lines)
    checks = [
        _none("setuid", (path for path, _ in found["setuid"]), "nothing is setuid or setgid"),
        compilers([path for path, _ in found["compiler"]], expected),
        duplicates([path for path, _ in found["twice"]], expected),
    ]
    if libraries and foreign:
        with containers.exported(engine, reference) as stream:
            read = closure.resolve(closure.read(stream), foreign)
        checks.append(resolved(read.files, read.needs, read.unloadable, expected))
    elif libraries:
        files = [path for path, _ in found["elf"]]
        unloadable = [f"{path}: {why}" for path, why in found["unloadable"]]
        checks.append(resolved(files, found["needs"], unloadable, expected))
    return tuple(checks)


def listed(lines: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """Return what dockerfiles/verify/files printed, by its kind: (path, what is said of it). A path may have tabs."""
    found: dict[str, list[tuple[str, str]]] = {kind: [] for kind in KINDS}
    for line in lines:
        kind, _, rest = line.partition("\t")
        if kind in ("needs", "unloadable"):
            path, _, said_of_it = rest.rpartition("\t")
            found[kind].append((path, said_of_it))
        elif kind == "twice":
            found[kind].append((rest.partition("\t")[2], ""))
        elif kind in KINDS:
            found[kind].append((rest, ""))
    return found


def compilers(paths: Sequence[str], expected: Requirements) -> Check:
    """Allow the compilers of packages that are installed on purpose, and no other."""
    if expected.builder:
        return skip("compilers", "a builder has the toolchain on purpose")
    allowed = {program for package in expected.packages for program in BRINGS.get(package, ())}
    wrong = [path for path in paths if AFFIXES.sub("", path.rpartition("/")[2]) not in allowed]
    declared = ", ".join(sorted(set(expected.packages) & BRINGS.keys()))
    return _none("compilers", wrong, f"only {declared}, which is asked for" if declared else "none")


def duplicates(paths: Sequence[str], expected: Requirements) -> Check:
    """Allow the large files of service.toml to be there more than once, and no other."""
    wrong = [path for path in paths if not _allowed(path, expected.duplicates)]
    more = f" but {len(paths) - len(wrong)} that service.toml lets pass" if len(paths) > len(wrong) else ""
    return _none("duplicates", wrong, f"no large file twice{more}")


def resolved(
    files: Sequence[str], needs: Sequence[tuple[str, str]], unloadable: Sequence[str], expected: Requirements
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
