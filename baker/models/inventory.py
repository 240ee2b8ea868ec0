"""What a cache has of a repository, and whether each file is right: `baker models pull --check`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from baker.errors import NetworkError
from baker.models import folder, needs
from baker.models.listing import BLOB, SHA256, Entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from baker.models.folder import FolderCache, Held
    from baker.models.hub import Hub
    from baker.models.listing import Listing
    from baker.models.needs import Needs
    from baker.models.volume import VolumeCache
    from baker.system.progressbar import Bar

    Cache = FolderCache | VolumeCache

BAD = frozenset({"missing", "damaged"})


@dataclass(frozen=True, kw_only=True)
class State:
    """A file that a config needs. `state` is fetched, present, missing or damaged; `size` is 0 if it is not known."""

    file: str
    commit: str
    size: int
    state: str


@dataclass(kw_only=True)
class Repository:
    """What the cache has of a repository, and what the hub lists of it; `listing` is None where the hub was not asked.

    `fresh` are the digests of the contents that this run has fetched.
    """

    store: Cache
    repo: str
    held: Held
    listing: Listing | None
    fresh: set[str] = field(default_factory=set)

    @property
    def commit(self) -> str:
        """The commit in use: the hub's, or else that of the cache."""
        return self.listing.commit if self.listing else self.held.commit

    @property
    def paths(self) -> tuple[str, ...]:
        """All files that the hub lists, or else those that the cache has."""
        return tuple(self.listing.files if self.listing else self.held.names)

    def place(self, path: str) -> str:
        """Return where the cache has a file by its name."""
        return f"{folder.folder(self.repo)}/snapshots/{self.commit}/{path}"

    def blob(self, digest: str) -> str:
        """Return where the cache has a content by its digest."""
        return f"{folder.folder(self.repo)}/blobs/{digest}"

    def size(self, path: str) -> int:
        """Return the bytes of a file that the cache has, 0 for one that it lacks."""
        name = self.held.names.get(path)
        return self.held.blobs.get(name.blob, name.size) if name else 0

    def state(self, path: str, bar: Bar) -> State:
        """Compare a file in the cache with the hub's listing or, where there is none, with the name of its blob."""
        name, size, word = self.held.names.get(path), self.size(path), "missing"
        expected = self.listing.files.get(path) if self.listing else None
        if name and (not name.blob or name.blob in self.held.blobs):
            expected = expected or Entry(size=size, digest=name.blob)
            good = size == expected.size and intact(self.store, self.place(path), expected.digest)
            word = "present" if good else "damaged"
        bar.advance(size)
        return State(
            file=f"{needs.FILE}{self.repo}/{path}",
            commit=self.held.commit,
            size=expected.size if expected else size,
            state=word,
        )


def check(
    wanted: Needs, store: Cache, hub: Hub, bar: Bar, say: Callable[[str], None], *, everything: bool
) -> tuple[State, ...]:
    """Return the state of the files that a start without network would need.

    The hub is asked for sizes, checksums and voices. When it does not answer, the cache alone decides, and `say` gets a
    note of that.
    """
    repositories: dict[str, Repository] = {}
    silent = ""

    def repository(repo: str) -> Repository:
        nonlocal silent
        if repo not in repositories:
            held, listing = store.held(repo), None
            if held.commit and not silent:
                try:
                    listing = hub.listing(repo, held.commit)
                except NetworkError as error:
                    silent = str(error)
                    say(f"note: judged by the cache alone, which cannot tell whether voices are missing: {error}")
            repositories[repo] = Repository(store=store, repo=repo, held=held, listing=listing)
        return repositories[repo]

    files = {(file.repo, file.path) for file in wanted.files}
    for checkpoint in wanted.checkpoints:
        config = checkpoint.config
        files.add((config.repo, config.path))
        content = store.read(repository(config.repo).place(config.path))
        try:
            named = needs.named_files(checkpoint, json.loads(content)) if content else ()
        except ValueError:
            named = ()  # the state of config.json itself is "damaged"
        files.update((file.repo, file.path) for file in named)
    for voices in wanted.voices:
        found = needs.choose(voices, repository(voices.repo).paths, everything=everything)
        files.update((voices.repo, path) for path in found)
        if not needs.has_default(voices, found):
            files.add((voices.repo, voices.default))
    bar.start("checking", sum(repository(repo).size(path) for repo, path in files))
    return tuple(repository(repo).state(path, bar) for repo, path in sorted(files))


def part_name(digest: str) -> str:
    """Return the name of a part of a download. huggingface_hub has other names, so it does not go on with ours."""
    return f"{digest}.baker.incomplete"


def intact(store: Cache, path: str, digest: str) -> bool:
    """Compare a file with its checksum, a sha256 or git's blob id. With any other text there is nothing to compare."""
    if SHA256.fullmatch(digest):
        return store.sha256(path) == digest
    if BLOB.fullmatch(digest):
        content = store.read(path) or b""
        return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == digest
    return True
