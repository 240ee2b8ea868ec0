"""Whose projects are read: as with git's safe.directory, another user's are not, since a project names what is run."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from baker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

VARIABLE = "BAKER_SAFE_DIRECTORY"


@dataclass(frozen=True, kw_only=True)
class Trust:
    """The users whose projects are read, and the folders whose owner does not matter; "*" is all of them."""

    users: frozenset[int]
    folders: tuple[str, ...]


def trust(environment: Mapping[str, str], user: int) -> Trust:
    """Return whom a user trusts: himself, root, and as root the one who called sudo."""
    called = environment.get("SUDO_UID", "")
    users = {0, user} | ({int(called)} if user == 0 and called.isdecimal() and called.isascii() else set())
    folders = tuple(filter(None, environment.get(VARIABLE, "").split(os.pathsep)))
    return Trust(users=frozenset(users), folders=folders)


def check(root: Path, paths: Iterable[Path], trusted: Trust) -> None:
    """Check who owns a project.

    Args:
        root: the project's folder.
        paths: what must belong to a trusted user; what is not there is not looked at.
        trusted: those users.

    Raises:
        UsageError: one of them belongs to somebody else.
    """
    if any(folder == "*" or Path(folder).absolute() == root for folder in trusted.folders):
        return
    for path in paths:
        try:
            owner = path.lstat().st_uid
        except OSError:
            continue
        if owner not in trusted.users:
            raise UsageError(
                f"{path} belongs to another user ({_name(owner)}), and a project says what is run: where you trust it, "
                f"set {VARIABLE}={root} in the environment"
            )


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)
