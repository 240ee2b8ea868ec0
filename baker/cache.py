"""Where models are kept: a Hugging Face cache, here one in a folder.

The layout is that of huggingface_hub and of hf-hub, the server's own: below hub/models--ORG--NAME, blobs/DIGEST has the
content, snapshots/COMMIT/PATH links to it, and refs/main says which commit counts.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import shutil
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from baker.errors import CommandError, EngineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import IO

BUSY = "another `baker models pull` writes to {where}: wait for it{hint}"


@dataclass(frozen=True, kw_only=True)
class Name:
    """A file of a snapshot: the blob that it links to, or, where it is no link, empty and its own size."""

    blob: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Held:
    """What a cache has of a repository. `blobs` are sizes by digest, parts of downloads among them."""

    commit: str = ""
    blobs: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, Name] = field(default_factory=dict)


def folder(repo: str) -> str:
    """Return the folder of a repository."""
    return f"models--{repo.replace('/', '--')}"


@dataclass(frozen=True, kw_only=True)
class FolderCache:
    """A cache in a folder: what HF_HOME names."""

    home: Path

    @property
    def where(self) -> str:
        """The folder."""
        return str(self.home)

    @property
    def hub(self) -> Path:
        """The folder of the repositories."""
        return self.home / "hub"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other pulls out; a lock of a process that was killed is gone with it."""
        self.hub.mkdir(parents=True, exist_ok=True)
        with (self.hub / ".baker.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise EngineError(BUSY.format(where=self.where, hint="")) from None
            yield

    def held(self, repo: str) -> Held:
        """Look at a repository."""
        top = self.hub / folder(repo)
        commit = (self.read(f"{folder(repo)}/refs/main") or b"").decode().strip()
        blobs = {path.name: path.stat().st_size for path in (top / "blobs").glob("*") if path.is_file()}
        below = top / "snapshots" / commit
        names = {}
        for path in sorted(below.rglob("*")) if commit else ():
            if path.is_symlink():
                names[str(path.relative_to(below))] = Name(blob=path.readlink().name, size=0)
            elif path.is_file():
                names[str(path.relative_to(below))] = Name(blob="", size=path.stat().st_size)
        return Held(commit=commit, blobs=blobs, names=names)

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
        return shutil.disk_usage(next(path for path in (self.hub, *self.hub.parents) if path.exists())).free


@contextmanager
def open_folder(home: Path, *, writing: bool) -> Iterator[FolderCache]:
    """Yield the cache in a folder; for writing it is made and locked."""
    found = FolderCache(home=home)
    with explained(found.where), found.locked() if writing else nullcontext():
        yield found


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Say in one line what a cache that is full or not writable needs."""
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
