"""A Hugging Face cache in a folder.

huggingface_hub and hf-hub, the server's own library, lay it out like this. In a repository's folder models--ORG--NAME,
blobs/DIGEST is a file's content, snapshots/COMMIT/PATH is a link to it, and refs/main has the commit that is in use.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from baker.errors import CommandError, EngineError, UsageError
from baker.models.listing import COMMIT
from baker.system import disk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import IO

    from baker.models.environment import Place

BUSY = "another `baker models pull` writes to {where}: wait for it{hint}"


@dataclass(frozen=True, kw_only=True)
class Name:
    """A file of a snapshot. `blob` is the name of the blob that it links to; a file that is no link has a `size`."""

    blob: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Held:
    """What a cache has of a repository. `blobs` are sizes by file name: contents by digest, and parts of downloads.

    `commit` is empty where refs/main is missing or names no commit.
    """

    commit: str = ""
    blobs: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, Name] = field(default_factory=dict)


def folder(repo: str) -> str:
    """Return the folder of a repository."""
    return f"models--{repo.replace('/', '--')}"


def commit(content: bytes | None) -> str:
    """Return the commit that the content of refs/main names; empty where it is missing or something else."""
    text = (content or b"").decode(errors="replace").strip()
    return text if COMMIT.fullmatch(text) else ""


@dataclass(frozen=True, kw_only=True)
class FolderCache:
    """A cache in a folder. `hub` is the folder of the repositories, `where` the one that messages name."""

    hub: Path
    where: str

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other pulls out. The lock of a process that was killed ends with the process."""
        self.hub.mkdir(parents=True, exist_ok=True)
        with (self.hub / ".baker.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise EngineError(BUSY.format(where=self.where, hint="")) from None
            yield

    def held(self, repo: str) -> Held:
        """Look at a repository."""
        top, current = self.hub / folder(repo), commit(self.read(f"{folder(repo)}/refs/main"))
        blobs = {path.name: path.stat().st_size for path in (top / "blobs").glob("*") if path.is_file()}
        below = top / "snapshots" / current
        names = {}
        for path in sorted(below.rglob("*")) if current else ():
            if path.is_symlink():
                names[str(path.relative_to(below))] = Name(blob=path.readlink().name, size=0)
            elif path.is_file():
                names[str(path.relative_to(below))] = Name(blob="", size=path.stat().st_size)
        return Held(commit=current, blobs=blobs, names=names)

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, None where it is missing."""
        try:
            return (self.hub / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def sha256(self, path: str) -> str:
        """Return the sha256 of a file as hexadecimal digits."""
        with (self.hub / path).open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()

    def append(self, path: str) -> AbstractContextManager[IO[bytes]]:
        """Open a file to write at its end."""
        (self.hub / path).parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered: what came before an interruption is on the disk.
        return (self.hub / path).open("ab", buffering=0)

    def remove(self, path: str) -> None:
        """Remove a file; one that is missing is fine."""
        (self.hub / path).unlink(missing_ok=True)

    def move(self, source: str, target: str) -> None:
        """Rename a file over another."""
        (self.hub / target).parent.mkdir(parents=True, exist_ok=True)
        (self.hub / source).replace(self.hub / target)

    def link(self, path: str, target: str) -> None:
        """Make a symbolic link, whatever was there before."""
        place = self.hub / path
        place.parent.mkdir(parents=True, exist_ok=True)
        new = place.with_name(f".{place.name}.baker")
        new.unlink(missing_ok=True)
        new.symlink_to(target)
        new.replace(place)

    def free(self) -> int:
        """Return the bytes that are free."""
        return disk.free(self.hub)


@contextmanager
def open_folder(place: Place, *, writing: bool) -> Iterator[FolderCache]:
    """Yield the cache in a folder; for writing it is made and locked."""
    found = FolderCache(hub=place.hub, where=place.shown)
    with explained(found.where), found.locked() if writing else nullcontext():
        yield found


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Turn the errors of a cache that is full or cannot be written into one line that says what to do."""
    try:
        yield
    except (OSError, CommandError) as error:
        number, text = (error.errno, "") if isinstance(error, OSError) else (0, error.tail)
        if number in (errno.ENOSPC, errno.EDQUOT) or "No space left" in text or "quota exceeded" in text:
            raise EngineError(
                f"no space left in {where}: make room and run it again, what is there already is kept"
            ) from error
        if number in (errno.EACCES, errno.EPERM, errno.EROFS) or "denied" in text or "Read-only" in text:
            what = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else text.splitlines()[-1]
            raise UsageError(f"{where} cannot be used: {what}") from error
        raise
