"""From configs to models in a cache: `baker models pull`."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from rich.filesize import decimal

from baker.config import toml
from baker.dockerfile import bakefile
from baker.errors import EngineError, NetworkError, UsageError
from baker.models import folder, needs, volume
from baker.models.inventory import Repository, State, intact, part_name
from baker.models.listing import SHA256

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import IO

    from baker.config.service import Service
    from baker.config.settings import Settings
    from baker.engine.interface import Engine
    from baker.models.environment import Place
    from baker.models.hub import Hub
    from baker.models.inventory import Cache
    from baker.models.listing import Entry, Listing
    from baker.models.needs import File, Needs
    from baker.system.progressbar import Bar

# Bytes that stay free: the server's logs and compiled kernels go to the same disk.
RESERVE = 10**8


def needed(services: Sequence[Service]) -> Needs:
    """Return what the configs in the services' images name."""
    found = [
        path
        for service in services
        for item in service.image.files
        for path in (sorted(item.source.glob("*.toml")) if item.source.is_dir() else [item.source])
        if path.suffix == ".toml"
    ]
    return needs.collect((str(path), toml.read(path)) for path in found)


def open_cache(
    settings: Settings,
    services: Sequence[Service],
    place: Place,
    *,
    name: str | None,
    engine: Engine,
    writing: bool,
) -> AbstractContextManager[Cache]:
    """Return the cache in a folder or, when a volume is named, in that, reached through an image of the services."""
    if name is None:
        return folder.open_folder(place, writing=writing)
    images = {
        f"{bakefile.image_name(settings, service.name)}:{settings.tag}": dict(service.image.env) for service in services
    }
    local = [(image, env["HF_HOME"]) for image, env in images.items() if "HF_HOME" in env and engine.image(image)]
    if not local:
        raise EngineError(f"a volume is filled through an image, and none is here of {', '.join(images)}: build one")
    return volume.open_volume(engine, name, *local[0], writing=writing)


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
        for file in needs.named_files(checkpoint, work.config(checkpoint.config)):
            work.want(file.repo, file.path)
    for voices in wanted.voices:
        found = needs.choose(voices, work.listing(voices.repo).files, everything=everything)
        if not needs.has_default(voices, found):
            raise UsageError(f"{voices.repo} has no voice {voices.default} that matches {voices.pattern or '*'!r}")
        for path in found:
            work.want(voices.repo, path)
    return work.finish()


@dataclass(kw_only=True)
class _Pull:
    """A pull in progress: which paths of each repository are wanted, and which files are done."""

    store: Cache
    hub: Hub
    bar: Bar
    wanted: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    repositories: dict[str, Repository] = field(default_factory=dict)
    done: dict[tuple[str, str], State] = field(default_factory=dict)

    def listing(self, repo: str) -> Listing:
        found = self.repositories.get(repo)
        if found is None:
            held, listing = self.store.held(repo), self.hub.listing(repo)
            found = Repository(store=self.store, repo=repo, held=held, listing=listing)
            self.repositories[repo] = found
        assert found.listing  # noqa: S101 - a pull asks the hub for each
        return found.listing

    def want(self, repo: str, path: str) -> None:
        listing = self.listing(repo)
        if path not in listing.files:
            raise UsageError(
                f"{repo} has no file {path} (main is {listing.commit[:10]}): does the config name it right?"
            )
        self.wanted[repo].add(path)

    def config(self, file: File) -> Mapping[str, object]:
        """Fetch a config.json ahead of the rest, and read it."""
        self.bar.start(file.path, self.listing(file.repo).files[file.path].size)
        self.fetch(file.repo, file.path)
        content = self.store.read(self.repositories[file.repo].place(file.path))
        try:
            found = json.loads(content or b"")
        except ValueError as error:
            raise UsageError(f"{file} is no JSON: {error}") from error
        if not isinstance(found, dict):
            raise UsageError(f"{file} is no JSON object")
        return found

    def finish(self) -> tuple[State, ...]:
        """Fetch everything that is wanted, and let each repository's refs/main name the new commit."""
        for repo in self.wanted:
            # The server looks in the snapshot of refs/main alone: files of the old one must be in the new one too.
            self.wanted[repo].update(self.repositories[repo].held.names.keys() & self.listing(repo).files.keys())
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
        """Refuse before the first byte what cannot fit. What an earlier run has fetched in part is not counted."""
        missing = 0
        for repo, path in todo:
            entry, blobs = self.listing(repo).files[path], self.repositories[repo].held.blobs
            missing += max(0, entry.size - blobs.get(entry.digest, blobs.get(part_name(entry.digest), 0)))
        free = self.store.free()
        if missing and missing + RESERVE > free:
            raise EngineError(
                f"no space left in {self.store.where}: {decimal(missing)} are to be fetched, {decimal(free)} are free"
            )

    def fetch(self, repo: str, path: str) -> None:
        """Bring one file into the cache. A file that is there already is checked."""
        if (repo, path) in self.done:
            return
        found, entry = self.repositories[repo], self.listing(repo).files[path]
        blob, word = found.blob(entry.digest), "present"
        name = found.held.names.get(path) if found.held.commit == found.commit else None
        if name and not name.blob and name.size == entry.size and intact(self.store, found.place(path), entry.digest):
            self.bar.advance(entry.size)
        else:
            there = entry.digest in found.fresh or found.held.blobs.get(entry.digest) == entry.size
            if there and intact(self.store, blob, entry.digest):
                self.bar.advance(entry.size)
            else:
                word = "fetched"
                self.download(found, path, entry)
            if not name or name.blob != entry.digest:
                up = "../" * (2 + path.count("/"))
                self.store.link(found.place(path), f"{up}blobs/{entry.digest}")
        self.done[repo, path] = State(
            file=f"{needs.FILE}{repo}/{path}", commit=found.commit, size=entry.size, state=word
        )

    def download(self, found: Repository, path: str, entry: Entry) -> None:
        """Fetch a content into a part, check it, and only then give it its name."""
        place = found.blob(part_name(entry.digest))
        have = found.held.blobs.get(part_name(entry.digest), 0)
        if not (0 < have <= entry.size and self.brought(found, path, entry, have)):
            self.store.remove(place)
            # There was no part, or a wrong one: from the start.
            if not self.brought(found, path, entry, 0):
                self.store.remove(place)
                kind = "sha256" if SHA256.fullmatch(entry.digest) else "blob"
                raise NetworkError(
                    f"{found.repo}/{path}: what came is not what {self.hub.shown} announced ({entry.size} bytes, "
                    f"{kind} {entry.digest}); it was thrown away, run it again"
                )
        self.store.move(place, found.blob(entry.digest))
        found.fresh.add(entry.digest)

    def brought(self, found: Repository, path: str, entry: Entry, have: int) -> bool:
        """Fetch what a part lacks, and return whether it is whole and right then."""
        place = found.blob(part_name(entry.digest))
        self.bar.advance(have)
        with ExitStack() as stack:
            part = _Part(self.store, place, have, stack, self.bar)
            if entry.size == 0:
                part.write(b"")
            self.hub.fetch(found.repo, found.commit, path, entry.size, part)
        good = part.tell() == entry.size and intact(self.store, place, entry.digest)
        if not good:
            self.bar.advance(-part.tell())
        return good

    def point(self, repo: str) -> None:
        """Let refs/main name the new commit, in one step."""
        found = self.repositories[repo]
        if found.held.commit == found.commit:
            return
        new = f"{folder.folder(repo)}/refs/.main.baker"
        self.store.remove(new)
        with self.store.append(new) as file:
            file.write(found.commit.encode())
        self.store.move(new, f"{folder.folder(repo)}/refs/main")


class _Part:
    """A part of a download, as the file that http_get writes to. It is opened at the first write."""

    def __init__(self, store: Cache, path: str, have: int, stack: ExitStack, bar: Bar) -> None:
        self._store, self._path, self._stack, self._bar = store, path, stack, bar
        self._at, self._end = have, have

    @cached_property
    def _file(self) -> IO[bytes]:
        return self._stack.enter_context(self._store.append(self._path))

    def tell(self) -> int:
        return self._at

    def write(self, data: bytes) -> int:
        file, written = self._file, 0
        while written < len(data):
            # An unbuffered file may take less than it is given.
            written += file.write(data[written:])
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
