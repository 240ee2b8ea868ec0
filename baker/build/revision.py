"""The commit that a project's folder is at, and whether it has changes that are in no commit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker.dockerfile import labels
from baker.errors import CommandError
from baker.system import process

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Revision:
    """A commit, empty outside of a checkout; `dirty` says whether the folder has changes that it does not hold.

    `source` is the address of the repository, empty where none is known.
    """

    commit: str
    dirty: bool
    source: str

    @property
    def label(self) -> str:
        """What an image's label says: the commit, with "-dirty" where that is not all."""
        return f"{self.commit}-dirty" if self.commit and self.dirty else self.commit


UNKNOWN = Revision(commit="", dirty=False, source="")


def revision(folder: Path, environment: Mapping[str, str]) -> Revision:
    """Ask git about a folder."""
    argv = ["git", "-C", str(folder), "status", "--porcelain=v2", "--branch", "--untracked-files=normal", "--", "."]
    try:
        told = process.capture(argv, env=environment)
    except CommandError:
        return UNKNOWN
    commit = re.search(r"^# branch\.oid ([0-9a-f]{40,64})$", told, re.MULTILINE)
    changed = any(line and not line.startswith("# ") for line in told.splitlines())
    return Revision(commit=commit[1] if commit else "", dirty=changed, source=_source(folder, environment))


def _source(folder: Path, environment: Mapping[str, str]) -> str:
    try:
        remote = process.capture(["git", "-C", str(folder), "config", "--get", "remote.origin.url"], env=environment)
    except CommandError:
        return ""
    return labels.source(remote.strip())
