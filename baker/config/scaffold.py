"""`baker init`: the package's own project, laid out to be edited."""

from __future__ import annotations

import shutil
import stat
from typing import TYPE_CHECKING

from baker.config.project import BUILTIN
from baker.errors import UsageError
from baker.system import files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = (
    *(
        (name, name)
        for name in ("baker.lock", "baker.toml", "docker-compose.yml", "docker-compose.cpu.yml", "Makefile")
    ),
    # Under its real name it would hide files of the package from git.
    ("gitignore", ".gitignore"),
)


def lay_out(folder: Path) -> Iterator[Path]:
    """Write a project into a folder and yield what was written.

    Raises:
        UsageError: the folder holds something; nothing is overwritten.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty: name a new folder, nothing is overwritten")
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}; name a new folder") from error
    for name in ("services", "schemas"):
        shutil.copytree(BUILTIN / name, folder / name, ignore=files.ignore_leftovers)
        yield folder / name
    for source, name in FILES:
        shutil.copyfile(BUILTIN / source, folder / name)
        yield folder / name
    for name in ("services", "schemas"):
        make_writable(folder / name)


def make_writable(folder: Path) -> None:
    """Let the owner change what was copied from the package with its modes: the package may be read-only."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
