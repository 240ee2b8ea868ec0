"""What a hub says about a repository, checked and read into values. This is the only place that reads its answers.

Paths, digests and commits become names of files in the cache, so none of them may lead out of it, whatever the hub is.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NoReturn

from baker.errors import NetworkError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

COMMIT = BLOB = re.compile(r"[0-9a-f]{40}")
SHA256 = re.compile(r"[0-9a-f]{64}")
# Linux's file systems have names of up to 255 bytes; a link gets a longer name for the moment in which it is made.
LONGEST = 255 - len("..baker")
# Control characters, halves of a surrogate pair, and line and paragraph separators.
FORBIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
QUOTED = 80


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file as the hub describes it. `digest` is its sha256, 64 digits, or git's blob id, 40, for small text files."""

    size: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A repository at one commit."""

    commit: str
    files: Mapping[str, Entry]


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Reads the answers of one hub about one repository. `hub` is the hub's address for messages.

    Each method raises NetworkError, which names the hub, for an answer that cannot be used.
    """

    hub: str
    repo: str

    def commit(self, answer: object) -> str:
        """Read the commit out of the answer to /api/models/REPO/revision/NAME."""
        found = answer.get("sha") if isinstance(answer, dict) else None
        if not isinstance(found, str) or not COMMIT.fullmatch(found):
            self._refuse("a commit", found, "40 hexadecimal digits")
        return found

    def files(self, pages: Iterable[object]) -> dict[str, Entry]:
        """Read the files out of the pages of /api/models/REPO/tree/COMMIT."""
        found: dict[str, Entry] = {}
        for page in pages:
            if not isinstance(page, list):
                self._refuse("a list of files", page, "a JSON array")
            for item in page:
                if not isinstance(item, dict):
                    self._refuse("a file", item, "a JSON object")
                if item.get("type") == "file":
                    found[self._path(item.get("path"))] = self._entry(item)
        folders = {str(parent) for path in found for parent in PurePosixPath(path).parents}
        for path in sorted(folders & found.keys()):
            self._refuse("a file and a folder", path, "one or the other")
        return found

    def _entry(self, item: Mapping[str, object]) -> Entry:
        large = item.get("lfs")
        if large is None:
            return Entry(size=self._size(item.get("size")), digest=self._digest(item.get("oid"), BLOB, 40))
        if not isinstance(large, dict):
            self._refuse("a large file", large, "a JSON object")
        return Entry(size=self._size(large.get("size")), digest=self._digest(large.get("oid"), SHA256, 64))

    def _path(self, path: object) -> str:
        if not isinstance(path, str) or not is_path(path):
            self._refuse("a file", path, "a relative path without '..' and control characters")
        return path

    def _size(self, size: object) -> int:
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            self._refuse("a size", size, "a number of bytes")
        return size

    def _digest(self, digest: object, form: re.Pattern[str], digits: int) -> str:
        if not isinstance(digest, str) or not form.fullmatch(digest):
            self._refuse("a checksum", digest, f"{digits} hexadecimal digits")
        return digest

    def _refuse(self, what: str, found: object, form: str) -> NoReturn:
        text = ascii(found)
        text = text if len(text) <= QUOTED else f"{text[:QUOTED]}…"
        raise NetworkError(
            f"{self.hub} gives {text} as {what} of {self.repo}, which is not {form}: nothing was fetched"
        )


def is_path(path: str) -> bool:
    """Return whether a path can be that of a file below a folder, and cannot lead out of it."""
    return all(_is_name(part) for part in path.split("/"))


def _is_name(part: str) -> bool:
    """Return whether a part of a path is the name of a file or folder."""
    if part in ("", ".", "..") or any(unicodedata.category(letter) in FORBIDDEN for letter in part):
        return False
    return len(part.encode()) <= LONGEST
