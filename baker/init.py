"""`baker init`: the package's own project, laid out to be edited."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from baker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

IGNORED = shutil.ignore_patterns("target", "__pycache__", ".venv")


def lay_out(folder: Path) -> Iterator[Path]:
    """Write a project into a folder and yield what was written.

    Raises:
        UsageError: the folder holds something; nothing is overwritten.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty: name a new folder, nothing is overwritten")
    package = Path(str(resources.files("baker")))
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(package / "services", folder / "services", ignore=IGNORED)
    yield folder / "services"
    copies = (
        (package / "baker.lock", "baker.lock"),
        (package / "defaults.toml", "baker.toml"),
        (package / "project" / "docker-compose.yml", "docker-compose.yml"),
        (package / "project" / "docker-compose.cpu.yml", "docker-compose.cpu.yml"),
        (package / "project" / "Makefile", "Makefile"),
        (package / "project" / "gitignore", ".gitignore"),
    )
    for source, name in copies:
        shutil.copyfile(source, folder / name)
        yield folder / name
