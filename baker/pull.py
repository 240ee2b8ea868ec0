"""From configs to models in a cache: `baker models pull`."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from rich.filesize import decimal

from baker import bakefile, cache, engine, models, toml, volume
from baker.errors import EngineError, NetworkError, UsageError
from baker.shelf import SHA256, Shelf, State, intact, part_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import IO

    from baker.bar import Bar
    from baker.hub import Entry, Hub, Listing
    from baker.models import Needs
    from baker.prepare import Request
    from baker.shelf import Cache

# Bytes that stay free: the server's logs and compiled kernels go to the same disk.
RESERVE = 10**8


def needs(request: Request) -> Needs:
    """Return what the configs in the services' images name."""
    found = [
        path
        for service in request.services
        for item in service.image.files
        for path in (sorted(item.source.glob("*.toml")) if item.source.is_dir() else [item.source])
        if path.suffix == ".toml"
    ]
    return models.needs((str(path), toml.read(path).values) for path in found)


def home(environment: Mapping[str, str]) -> Path:
    """Return the cache's folder as huggingface_hub finds it."""
    base = environment.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(environment.get("HF_HOME") or f"{base}/huggingface").expanduser()


def open_cache(request: Request, folder: Path, name: str | None, *, writing: bool) -> AbstractContextManager[Cache]:
    """Return the cache in a folder or, when a volume is named, in that, reached through an image of the services."""
    if name is None:
        return cache.open_folder(folder, writing=writing)
    images = {
        f"{bakefile.image_name(request.settings, service.name)}:{request.settings.tag}": dict(service.image.env)
        for service in request.services
    }
    local = [(image, env["HF_HOME"]) for image, env in images.items() if "HF_HOME" in env and engine.image(image)]
    if not local:
        raise EngineError(f"a volume is filled through an image, and none is here of {', '.join(images)}: build one")
    return volume.open_volume(name, *local[0], writing=writing)


def pull(wanted: Needs, store: Cache, hub: Hub, bar: Bar, *, everything: bool) -> tuple[State, ...]:
    """Fetch what is missing, check size and checksum of all, and only then move each repository's refs/main.

    Raises:
        UsageError: a config names what the hub does not have.
        NetworkError: the hub cannot be reached, refuses, or gave something else than it announced.
        EngineError: there is not enough room.
    """
    work = _Pull(store=store, hub=hub, bar=bar)
    for file in wanted.files:
        work.want(file.repo, file.path)
    for checkpoint in wanted.checkpoints:
        work.want(checkpoint.config.repo, checkpoint.config.path)
        for file in models.named_files(checkpoint, work.config(checkpoint.config)):
            work.want(file.repo, file.path)
    for voices in wanted.voices:
        found = models.choose(voices, work.listing(voices.repo).files, everything=everything)
        if not models.has_default(voices, found):
            raise UsageError(f"{voices.repo} has no voice {voices.default} that matches {voices.pattern or '*'!r}")
        for path in found:
            work.want(voices.repo, path)
    return work.finish()


@dataclass(kw_only=True)
class _Pull:
    """A pull as far as it has come: what is wanted of each repository, and what has been fetched."""

    store: Cache
    hub: Hub
    bar: Bar
    wanted: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    shelves: dict[str, Shelf] = field(default_factory=dict)
    done: dict[tuple[str, str], State] = field(default_factory=dict)

    def listing(self, repo: str) -> Listing:
        shelf = self.shelves.get(repo)
        if shelf is None:
            shelf = Shelf(store=self.store, repo=repo, held=self.store.held(repo), listing=self.hub.listing(repo))
            self.shelves[repo] = shelf
        assert shelf.listing  # noqa: S101 - a pull asks the hub for each
        return shelf.listing

    def want(self, repo: str, path: str) -> None:
        listing = self.listing(repo)
        if path not in listing.files:
            raise UsageError(
                f"{repo} has no file {path} (main is {listing.commit[:10]}): does the config name it right?"
            )
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise NetworkError(f"{self.hub.endpoint} names a file {path!r} in {repo}, which leads out of the cache")
        self.wanted[repo].add(path)

    def config(self, file: models.File) -> Mapping[str, object]:
        """Fetch a config.json ahead of the rest, and read it."""
        self.bar.start(file.path, self.listing(file.repo).files[file.path].size)
        self.fetch(file.repo, file.path)
        content = self.store.read(self.shelves[file.repo].place(file.path))
        try:
            found = json.loads(content or b"")
        except ValueError as error:
            raise UsageError(f"{file} is no JSON: {error}") from error
        if not isinstance(found, dict):
            raise UsageError(f"{file} is no JSON object")
        return found

    def finish(self) -> tuple[State, ...]:
        for repo in self.wanted:
            # refs/main moves: what the last commit had stays within the server's reach.
            self.wanted[repo].update(self.shelves[repo].held.names.keys() & self.listing(repo).files.keys())
        todo = [(repo, path) for repo in sorted(self.wanted) for path in sorted(self.wanted[repo])]
        todo = [one for one in todo if one not in self.done]
        self.room(todo)
        self.bar.start("models", sum(self.listing(repo).files[path].size for repo, path in todo))
        for repo, path in todo:
            self.fetch(repo, path)
        for repo in sorted(self.wanted):
            self.point(repo)
        return tuple(self.done[one] for one in sorted(self.done))

    def room(self, todo: Sequence[tuple[str, str]]) -> None:
        """Refuse before the first byte what cannot fit; a part that is there already counts as there."""
        needed = 0
        for repo, path in todo:
            entry, blobs = self.listing(repo).files[path], self.shelves[repo].held.blobs
            needed += max(0, entry.size - blobs.get(entry.digest, blobs.get(part_name(entry.digest), 0)))
        free = self.store.free()
        if needed and needed + RESERVE > free:
            raise EngineError(
                f"no space left in {self.store.where}: {decimal(needed)} are to be fetched, {decimal(free)} are free"
            )

    def fetch(self, repo: str, path: str) -> None:
        """Bring one file into the cache; a file that is there is checked."""
        if (repo, path) in self.done:
            return
        shelf, entry = self.shelves[repo], self.listing(repo).files[path]
        blob, word = shelf.blob(entry.digest), "present"
        name = shelf.held.names.get(path) if shelf.held.commit == shelf.commit else None
        if name and not name.blob and name.size == entry.size and intact(self.store, shelf.place(path), entry.digest):
            self.bar.advance(entry.size)
        else:
            there = entry.digest in shelf.fresh or shelf.held.blobs.get(entry.digest) == entry.size
            if there and intact(self.store, blob, entry.digest):
                self.bar.advance(entry.size)
            else:
                word = "fetched"
                self.download(shelf, path, entry)
            if not name or name.blob != entry.digest:
                up = "../" * (2 + path.count("/"))
                self.store.link(shelf.place(path), f"{up}blobs/{entry.digest}")
        self.done[repo, path] = State(
            file=f"{models.FILE}{repo}/{path}", commit=shelf.commit, size=entry.size, state=word
        )

    def download(self, shelf: Shelf, path: str, entry: Entry) -> None:
        """Fetch into a part, check it, and only then give it the blob's name."""
        place = shelf.blob(part_name(entry.digest))
        have = shelf.held.blobs.get(part_name(entry.digest), 0)
        if not (0 < have <= entry.size and self.brought(shelf, path, entry, have)):
            self.store.remove(place)
            # Where an old part was wrong, from the start.
            if not self.brought(shelf, path, entry, 0):
                self.store.remove(place)
                kind = "sha256" if len(entry.digest) == SHA256 else "blob"
                raise NetworkError(
                    f"{shelf.repo}/{path}: what came is not what {self.hub.endpoint} announced ({entry.size} bytes, "
                    f"{kind} {entry.digest}); it was thrown away, run it again"
                )
        self.store.move(place, shelf.blob(entry.digest))
        shelf.fresh.add(entry.digest)

    def brought(self, shelf: Shelf, path: str, entry: Entry, have: int) -> bool:
        """Fetch what a part lacks, and return whether it is whole and right then."""
        place = shelf.blob(part_name(entry.digest))
        self.bar.advance(have)
        with ExitStack() as stack:
            part = _Part(self.store, place, have, stack, self.bar)
            self.hub.fetch(shelf.repo, shelf.commit, path, entry.size, part)
        good = part.tell() == entry.size and intact(self.store, place, entry.digest)
        if not good:
            self.bar.advance(-part.tell())
        return good

    def point(self, repo: str) -> None:
        """Move refs/main, in one step."""
        shelf = self.shelves[repo]
        if shelf.held.commit == shelf.commit:
            return
        new = f"{cache.folder(repo)}/refs/.main.baker"
        self.store.remove(new)
        with self.store.append(new) as file:
            file.write(shelf.commit.encode())
        self.store.move(new, f"{cache.folder(repo)}/refs/main")


class _Part:
    """A part of a download, as the file that http_get writes to; opened at the first byte."""

    def __init__(self, store: Cache, path: str, have: int, stack: ExitStack, bar: Bar) -> None:
        self._store, self._path, self._stack, self._bar = store, path, stack, bar
        self._at, self._end = have, have

    @cached_property
    def _file(self) -> IO[bytes]:
        return self._stack.enter_context(self._store.append(self._path))

    def tell(self) -> int:
        return self._at

    def write(self, data: bytes) -> int:
        written = 0
        while written < len(data):
            # An unbuffered file may take less than it is given.
            written += self._file.write(data[written:])
        self._at = self._end = self._at + len(data)
        self._bar.advance(len(data))
        return len(data)

    def seek(self, position: int) -> int:
        self._at = position
        return position

    def truncate(self) -> int:
        # Only ever to the start: a server that knows no ranges sends everything again.
        self._stack.close()
        self.__dict__.pop("_file", None)
        self._store.remove(self._path)
        self._bar.advance(self._at - self._end)
        self._at = self._end = 0
        return 0
