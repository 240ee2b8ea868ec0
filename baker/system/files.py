"""Files: one that is written whole or not at all, and what is left out when a folder is copied."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# What tools and builds leave between sources.
LEFTOVERS = (".git", ".venv", "__pycache__", "target")
# For shutil.copytree's `ignore`.
ignore_leftovers = shutil.ignore_patterns(*LEFTOVERS)


def write_atomically(path: Path, content: bytes | str, *, mode: int = 0o666) -> None:
    """Write a file in one step; text becomes UTF-8. A reader sees the old content or the new, never a part.

    The folder must exist. `mode` goes through the umask, as that of open(). A symbolic link at `path` is replaced by
    the file; what it points to stays as it is.

    Raises:
        OSError: the folder cannot be written or is full; `path` is as it was.
    """
    fresh = path.with_name(f".{path.name}.{os.urandom(4).hex()}.new")
    data = content.encode() if isinstance(content, str) else content
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
