"""ELF files: what the loader would read of one, without running anything of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

MAGIC = b"\177ELF"
# What pyelftools calls the processors that images are built for, and what the kernel does.
MACHINES = {"EM_X86_64": "x86_64", "EM_AARCH64": "aarch64"}
LOADED = ("ET_DYN", "ET_EXEC")
# A header that is damaged breaks pyelftools in ways of its own.
BROKEN = (ELFError, ValueError, KeyError, AttributeError, TypeError, OverflowError, UnicodeDecodeError)


class DamagedError(Exception):
    """A file that begins as an ELF file and is none, or not all of one."""


@dataclass(frozen=True, kw_only=True)
class Object:
    """A program or a shared object.

    Attributes:
        machine: its processor, as the kernel calls it.
        soname: its name for others that need it; empty where it has none.
        needed: the sonames of what it needs.
        rpath: folders that it and what it loads look in first; none where it has a runpath.
        runpath: folders that it alone looks in.
    """

    machine: str
    soname: str
    needed: tuple[str, ...]
    rpath: tuple[str, ...]
    runpath: tuple[str, ...]


def read(stream: IO[bytes]) -> Object | None:
    """Return what an ELF file says, None for one that no loader is given, as an object file for the linker.

    Raises:
        DamagedError: it is cut short, or its tables lead nowhere.
    """
    try:
        found = ELFFile(stream)
        if found["e_type"] not in LOADED:
            return None
        size = stream.seek(0, 2)
        tags: dict[str, list[str]] = {"soname": [], "needed": [], "rpath": [], "runpath": []}
        for segment in found.iter_segments():
            if segment["p_type"] == "PT_LOAD" and segment["p_offset"] + segment["p_filesz"] > size:
                raise DamagedError("it is cut short")
            if not isinstance(segment, DynamicSegment):
                continue
            for tag in segment.iter_tags():
                name = str(tag.entry.d_tag).removeprefix("DT_").lower()
                if name in tags:
                    tags[name].append(str(getattr(tag, name)))
        runpath = _folders(tags["runpath"])
        return Object(
            machine=MACHINES.get(found["e_machine"], str(found["e_machine"]).removeprefix("EM_").lower()),
            soname=next(iter(tags["soname"]), ""),
            needed=tuple(tags["needed"]),
            rpath=() if runpath else _folders(tags["rpath"]),
            runpath=runpath,
        )
    except BROKEN as error:
        raise DamagedError(f"it is damaged: {error}") from error


def _folders(paths: list[str]) -> tuple[str, ...]:
    return tuple(folder for path in paths for folder in path.split(":") if folder)
