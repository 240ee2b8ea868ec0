"""What of a repository is in a cache, and whether it is whole: `baker models pull --check`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from baker import cache, models
from baker.errors import NetworkError
from baker.hub import Entry, Listing

if TYPE_CHECKING:
    from collections.abc import Callable

    from baker.bar import Bar
    from baker.cache import FolderCache, Held
    from baker.hub import Hub
    from baker.models import Needs
    from baker.volume import VolumeCache

    Cache = FolderCache | VolumeCache

SHA256, GIT = 64, 40
BAD = frozenset({"missing", "damaged"})


@dataclass(frozen=True, kw_only=True)
class State:
    """A file that a config needs: `state` is fetched, present, missing or damaged, `size` 0 where it is not known."""

    file: str
    commit: str
    size: int
    state: str


@dataclass(kw_only=True)
class Shelf:
    """A repository in the cache, and how the hub describes it, if it does. `fresh` are digests fetched just now."""

    store: Cache
    repo: str
    held: Held
    listing: Listing | None
    fresh: set[str] = field(default_factory=set)

    @property
    def commit(self) -> str:
        """The commit that counts."""
        return self.listing.commit if self.listing else self.held.commit

    @property
    def paths(self) -> tuple[str, ...]:
        """All files that the hub lists, or else those that are here."""
        return tuple(self.listing.files if self.listing else self.held.names)

    def place(self, path: str) -> str:
        """Where the cache has a file by its name."""
        return f"{cache.folder(self.repo)}/snapshots/{self.commit}/{path}"

    def blob(self, digest: str) -> str:
        """Where the cache has a content."""
        return f"{cache.folder(self.repo)}/blobs/{digest}"

    def size(self, path: str) -> int:
        """Bytes of a file that is here, 0 of one that is not."""
        name = self.held.names.get(path)
        return self.held.blobs.get(name.blob, name.size) if name else 0

    def state(self, path: str, bar: Bar) -> State:
        """Compare a file of the held snapshot with the hub's word or, where there is none, with its blob's name."""
        name, size, word = self.held.names.get(path), self.size(path), "missing"
        expected = self.listing.files.get(path) if self.listing else None
        if name and (not name.blob or name.blob in self.held.blobs):
            expected = expected or Entry(size=size, digest=name.blob)
            good = size == expected.size and intact(self.store, self.place(path), expected.digest)
            word = "present" if good else "damaged"
        bar.advance(size)
        return State(
            file=f"{models.FILE}{self.repo}/{path}",
            commit=self.held.commit,
            size=expected.size if expected else size,
            state=word,
        )


def check(
    wanted: Needs, store: Cache, hub: Hub, bar: Bar, say: Callable[[str], None], *, everything: bool
) -> tuple[State, ...]:
    """Look at what a start without network would find. The hub is asked for sizes and voices; it need not answer."""
    shelves: dict[str, Shelf] = {}
    silent = ""

    def shelf(repo: str) -> Shelf:
        nonlocal silent
        if repo not in shelves:
            held, listing = store.held(repo), None
            if held.commit and not silent:
                try:
                    listing = hub.listing(repo, held.commit)
                except NetworkError as error:
                    silent = str(error)
                    say(f"note: judged by the cache alone, which cannot tell whether voices are missing: {error}")
            shelves[repo] = Shelf(store=store, repo=repo, held=held, listing=listing)
        return shelves[repo]

    files = {(file.repo, file.path) for file in wanted.files}
    for checkpoint in wanted.checkpoints:
        config = checkpoint.config
        files.add((config.repo, config.path))
        content = store.read(shelf(config.repo).place(config.path))
        try:
            named = models.named_files(checkpoint, json.loads(content)) if content else ()
        except ValueError:
            named = ()  # its own state says that it is damaged
        files.update((file.repo, file.path) for file in named)
    for voices in wanted.voices:
        found = models.choose(voices, shelf(voices.repo).paths, everything=everything)
        files.update((voices.repo, path) for path in found)
        if not models.has_default(voices, found):
            files.add((voices.repo, voices.default))
    bar.start("checking", sum(shelf(repo).size(path) for repo, path in files))
    return tuple(shelf(repo).state(path, bar) for repo, path in sorted(files))


def part_name(digest: str) -> str:
    """Return the name of a blob that is not whole; no other program goes on with a file of this name."""
    return f"{digest}.baker.incomplete"


def intact(store: Cache, path: str, digest: str) -> bool:
    """Compare a file with its checksum: sha256, or git's blob id; a name that is neither says nothing."""
    if len(digest) == SHA256:
        return store.sha256(path) == digest
    if len(digest) == GIT:
        content = store.read(path) or b""
        return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == digest
    return True
