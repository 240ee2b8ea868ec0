"""What belongs to the user and not to a project: https://specifications.freedesktop.org/basedir/latest/."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "BAKER_CACHE"


def cache(environment: Mapping[str, str]) -> Path | None:
    """Return the folder of what can be found out again: BAKER_CACHE, else "baker" in the user's cache.

    None where nothing says where that is. The folder need not be there.
    """
    if own := environment.get(VARIABLE):
        return Path(own).absolute()
    # A relative one is to be ignored.
    if (folder := environment.get("XDG_CACHE_HOME", "")).startswith("/"):
        return Path(folder) / "baker"
    return Path(home) / ".cache/baker" if (home := environment.get("HOME")) else None
