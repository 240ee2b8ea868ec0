"""How much room a disk has."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def free(folder: Path) -> int:
    """Return the bytes that are free where a folder is or would be made: the nearest parent that exists is asked."""
    return shutil.disk_usage(next(place for place in (folder, *folder.parents) if place.exists())).free
