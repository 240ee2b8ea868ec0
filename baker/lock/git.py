"""git: a commit's checksum and the version of the package in it."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from baker.config import cargo
from baker.errors import CommandError, LockError, NetworkError, UsageError
from baker.system import process

if TYPE_CHECKING:
    from baker.config.service import Crate

HINT = "Debian, Ubuntu: `sudo apt-get install git`"


def pin(crate: Crate) -> dict[str, str]:
    """Return the pin of a crate in a git repository: its version, the commit, and the sha256 of the commit's archive.

    Raises:
        EngineError: there is no git.
        LockError: the repository has no such commit, or the commit no such package.
        NetworkError: the repository cannot be reached.
    """
    program = process.find("git", HINT)
    with tempfile.TemporaryDirectory(prefix="baker-git-") as folder:
        bare, archive = Path(folder, "git"), Path(folder, "tar")
        process.capture([program, "init", "--quiet", "--bare", str(bare)])
        git = [program, "-C", str(bare)]
        _fetch(git, crate)
        try:
            process.capture([*git, "archive", "--format=tar", f"--output={archive}", crate.commit])
        except CommandError as error:
            raise LockError(f"{crate.git} has no commit {crate.commit}; is it pushed?") from error

        def read(path: str) -> bytes | None:
            try:
                return process.capture([*git, "show", f"{crate.commit}:{path}"]).encode()
            except CommandError:
                return None

        try:
            version = cargo.version(read, crate.folder, f"{crate.git} {crate.commit[:12]}")
        except UsageError as error:
            raise LockError(str(error)) from error
        sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    return {"version": version, "sha256": sha256, "git": crate.git, "commit": crate.commit}


def _fetch(git: list[str], crate: Crate) -> None:
    try:
        process.capture([*git, "fetch", "--quiet", "--depth=1", crate.git, crate.commit])
    except CommandError:
        # Some servers give a commit only as part of a branch.
        try:
            process.capture([*git, "fetch", "--quiet", crate.git, "+refs/*:refs/fetched/*"])
        except CommandError as error:
            said = error.tail.strip().splitlines()
            raise NetworkError(f"{crate.git} cannot be fetched: {said[-1] if said else error}") from error
