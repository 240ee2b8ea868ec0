"""A Hugging Face cache in a volume of the engine, as docker-compose.yml mounts one."""

from __future__ import annotations

import base64
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker.errors import CommandError, EngineError, UsageError
from baker.models.folder import BUSY, Held, Name, commit, explained, folder
from baker.system import process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from typing import IO

    from baker.engine.interface import Engine


@dataclass(frozen=True, kw_only=True)
class VolumeCache:
    """A cache in a volume. A container of a baked image mounts it, so that the files belong to the server's user.

    Only coreutils and find run in the container. It has no network and gets no token.
    """

    engine: Engine
    volume: str
    container: str
    hub: str

    @property
    def where(self) -> str:
        """The volume."""
        return f"the volume {self.volume}"

    def held(self, repo: str) -> Held:
        """Look at a repository."""
        top = folder(repo)
        current = commit(self.read(f"{top}/refs/main"))
        blobs = {name: int(size) for name, size in self._find(f"{top}/blobs", 2, "-type", "f", "-printf", r"%P\0%s\0")}
        names = {}
        if current:
            listed = ("!", "-type", "d", "-printf", r"%P\0%l\0%s\0")
            for path, target, size in self._find(f"{top}/snapshots/{current}", 3, *listed):
                names[path] = Name(blob=target.rpartition("/")[2], size=0 if target else int(size))
        return Held(commit=current, blobs=blobs, names=names)

    def read(self, path: str) -> bytes | None:
        """Return the content of a small file, None where it is missing."""
        try:
            return base64.b64decode(self._run("base64", self._at(path)))
        except CommandError as error:
            if "No such file" in error.tail:
                return None
            raise

    def sha256(self, path: str) -> str:
        """Return the sha256 of a file as hexadecimal digits."""
        return self._run("sha256sum", self._at(path)).split()[0].lstrip("\\")

    def append(self, path: str) -> AbstractContextManager[IO[bytes]]:
        """Open a file to write at its end."""
        self._run("mkdir", "-p", self._at(path).rpartition("/")[0])
        dd = ("dd", f"of={self._at(path)}", "oflag=append", "conv=notrunc", "bs=1M", "status=none")
        return process.feed(["docker", "exec", "--interactive", self.container, *dd], env=self.engine.environment)

    def remove(self, path: str) -> None:
        """Remove a file; one that is missing is fine."""
        self._run("rm", "-f", self._at(path))

    def move(self, source: str, target: str) -> None:
        """Rename a file over another."""
        self._run("mkdir", "-p", self._at(target).rpartition("/")[0])
        self._run("mv", "-fT", self._at(source), self._at(target))

    def link(self, path: str, target: str) -> None:
        """Make a symbolic link, whatever was there before."""
        self._run("mkdir", "-p", self._at(path).rpartition("/")[0])
        self._run("ln", "-sfT", target, self._at(path))

    def free(self) -> int:
        """Return the bytes that are free."""
        return int(self._run("df", "--output=avail", "--block-size=1", self.hub.rpartition("/")[0]).split()[-1])

    def _at(self, path: str) -> str:
        return f"{self.hub}/{path}"

    def _run(self, *argv: str) -> str:
        return self.engine.command("exec", self.container, *argv)

    def _find(self, path: str, width: int, *expression: str) -> Iterator[tuple[str, ...]]:
        try:
            fields = self._run("find", self._at(path), *expression).split("\0")[:-1]
        except CommandError as error:
            if "No such file" not in error.tail:
                raise
            return
        yield from zip(*(fields[start::width] for start in range(width)), strict=True)


@contextmanager
def open_volume(engine: Engine, volume: str, image: str, home: str, *, writing: bool) -> Iterator[VolumeCache]:
    """Yield the cache in a volume, which a container of an image has mounted at `home`, the image's HF_HOME.

    Raises:
        UsageError: there is no such volume.
        EngineError: there is no such image here, or another pull writes to the volume.
    """
    volume = find_volume(engine, volume)
    if engine.image(image) is None:
        raise EngineError(f"there is no image {image} here to reach {volume} with: `baker build` makes it")
    # The name is the lock: the engine gives it only once.
    container = f"baker-models-{volume}" if writing else f"baker-models-{volume}-check-{os.getpid()}"
    mount = f"type=volume,source={volume},target={home}" + ("" if writing else ",readonly")
    argv = ["run", "--detach", "--rm", "--name", container, "--network", "none", "--mount", mount]
    try:
        engine.command(*argv, "--entrypoint", "sleep", image, "infinity")
    except CommandError as error:
        if "already in use" in error.tail:
            hint = f", or remove what it left with `docker rm -f {container}`"
            raise EngineError(BUSY.format(where=f"the volume {volume}", hint=hint)) from error
        raise
    try:
        found = VolumeCache(engine=engine, volume=volume, container=container, hub=f"{home}/hub")
        with explained(found.where):
            yield found
    finally:
        engine.command("rm", "--force", container)


def find_volume(engine: Engine, name: str) -> str:
    """Return the volume of that name, or the one that compose made for it under its project's name.

    Raises:
        UsageError: there is none, or several compose projects have one.
    """
    listing = ("volume", "ls", "--format", "{{.Name}}")
    if name in engine.command(*listing).split():
        return name
    found = sorted(engine.command(*listing, "--filter", f"label=com.docker.compose.volume={name}").split())
    if not found:
        raise UsageError(f"there is no volume {name!r}: `docker compose up --no-start` makes those of a compose file")
    if len(found) > 1:
        raise UsageError(f"several compose projects have a volume {name!r}: one of {', '.join(found)}")
    return found[0]
