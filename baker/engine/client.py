"""A Docker engine through its SDK and its command line: ask, inspect, tag, import, and run containers of a moment."""

from __future__ import annotations

import platform
import re
import time
import uuid
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, Self

from baker.engine import connection, histories
from baker.engine.containers import MOMENTARY
from baker.engine.interface import EngineInfo, Layer, LocalImage
from baker.errors import CommandError, EngineError, NetworkError, UsageError
from baker.system import image_names, process, streams

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

LATE_LOOKS = 20


class Docker:
    """The engine that the docker command line uses, contexts included. It is connected to when it is first asked.

    Args:
        environment: that of every program which is started for it; DOCKER_HOST and DOCKER_CONTEXT pick the engine.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self._open = ExitStack()
        self._sdk: Any = None
        self._info: EngineInfo | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection; the next question opens it again."""
        self._open.close()
        self._sdk = None

    @property
    def sdk(self) -> Any:  # noqa: ANN401 - the SDK's client, whose answers are JSON and have no types
        """The SDK's client.

        Raises:
            EngineError: no engine answers.
        """
        if self._sdk is None:
            self._sdk = self._open.enter_context(connection.connected(self.environment))
        return self._sdk

    def command(self, *argv: str, cwd: Path | None = None) -> str:
        """Run a command of the docker command line and return what it printed. Raises CommandError."""
        return process.capture(["docker", *argv], cwd=cwd, env=self.environment)

    def describe(self) -> EngineInfo:
        """Return what the engine says of itself; it is asked once."""
        if self._info is None:
            info, version = self.sdk.info(), self.sdk.version()
            stores = [" ".join(pair) for pair in info.get("DriverStatus") or ()]
            self._info = EngineInfo(
                id=str(info.get("ID", "")),
                version=str(version["Version"]),
                machine=str(info.get("Architecture", "")),
                containerd_store=any("io.containerd.snapshotter" in pair for pair in stores),
                root=str(info.get("DockerRootDir", "")),
                local=info.get("Name") == platform.node(),
                cores=int(info.get("NCPU") or 0),
                # As in "name=seccomp,profile=builtin".
                security=tuple(re.findall(r"name=([^,\s]+)", " ".join(info.get("SecurityOptions") or ()))),
                podman=any("Podman" in str(part.get("Name")) for part in version.get("Components") or ()),
            )
        return self._info

    def image(self, reference: str) -> LocalImage | None:
        """Return a local image, or None where there is none of that name.

        Raises:
            UsageError: no image can have that name.
        """
        import docker  # noqa: PLC0415 - slow to import, and `baker --help` has no use for it

        try:
            found = self.sdk.api.inspect_image(reference)
        except docker.errors.ImageNotFound:
            return None
        except docker.errors.APIError as error:
            raise UsageError(f"{reference!r} is no image's name: {error.explanation}") from error
        config = found.get("Config") or {}
        return LocalImage(
            id=found["Id"],
            tags=tuple(found.get("RepoTags") or ()),
            size=int(found["Size"]),
            labels=config.get("Labels") or {},
            layers=tuple((found.get("RootFS") or {}).get("Layers") or ()),
            config=config,
            platform=f"{found.get('Os') or 'linux'}/{found['Architecture']}" if found.get("Architecture") else "",
        )

    def ids(self, references: Sequence[str]) -> tuple[str, ...]:
        """Return the ids of images, in order; none when one of them is not here.

        Through the command line: it answers before the SDK is imported.
        """
        try:
            return tuple(self.command("image", "inspect", "--format", "{{.Id}}", *references).split())
        except CommandError:
            return ()

    def labels(self, label: str) -> tuple[dict[str, str], ...]:
        """Return all labels of each image that has a certain one."""
        return tuple(image.get("Labels") or {} for image in self._listed(filters={"label": label}))

    def history(self, reference: str) -> tuple[str, ...]:
        """Return the instructions that made a local image, newest first."""
        return tuple(line.get("CreatedBy") or "" for line in self.sdk.api.history(reference))

    def layers(self, reference: str) -> tuple[Layer, ...]:
        """Return the layers of a local image, lowest first.

        Raises:
            EngineError: there is no such image.
        """
        found = self.image(reference)
        if found is None:
            raise EngineError(f"there is no image {reference} here")
        told = [(line.get("CreatedBy") or "", int(line["Size"])) for line in self.sdk.api.history(reference)]
        return histories.layers(found.layers, tuple(reversed(told)))

    def all_images(self) -> tuple[LocalImage, ...]:
        """Return all images of the local store that have a name."""
        listed = (line["Id"] for line in self._listed() if line.get("RepoTags"))
        # One may be removed meanwhile.
        return tuple(image for digest in dict.fromkeys(listed) if (image := self.image(digest)) is not None)

    def _listed(self, **options: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - the SDK names them
        """List images. containerd's store answers 404 while another process removes one: it is asked again."""
        import docker  # noqa: PLC0415 - slow to import, and `baker --help` has no use for it

        for _ in range(LATE_LOOKS):
            with suppress(docker.errors.NotFound):
                return list(self.sdk.api.images(**options))
            time.sleep(0.1)
        raise EngineError("the engine cannot list its images: other processes remove some all the time; try again")

    def uncompressed_size(self, reference: str) -> int:
        """Return the bytes of an image's layers, unpacked.

        `docker image inspect` says it in the classic store and, for layers that were stored uncompressed, in
        containerd's; where layers are compressed, the history has each one's size on disk.
        """
        size = int(self.sdk.api.inspect_image(reference)["Size"])
        unpacked = sum(int(layer["Size"]) for layer in self.sdk.api.history(reference))
        # On disk a layer is a few per cent larger than its files.
        return size if size * 1.2 > unpacked else unpacked

    def tag(self, source: str, target: str) -> None:
        """Give an image one more name."""
        parts = image_names.split(target)
        repository = f"{parts.host}/{parts.path}" if parts.host else parts.path
        self.sdk.images.get(source).tag(repository, tag=parts.tag or None)

    def untag(self, reference: str) -> None:
        """Take a name away from an image; its other names, its layers and its containers stay."""
        import docker  # noqa: PLC0415 - slow to import, and `baker --help` has no use for it

        try:
            self.sdk.api.remove_image(reference, noprune=True, force=True)
        except docker.errors.ImageNotFound:
            return
        except docker.errors.APIError as error:
            raise EngineError(f"{reference} cannot be untagged: {error.explanation}") from error

    def pull(self, reference: str) -> None:
        """Fetch an image from its registry, with the logins of `docker login`.

        Raises:
            NetworkError: the registry cannot be reached, refuses, or has no such image.
        """
        try:
            self.command("pull", "--quiet", reference)
        except CommandError as error:
            raise NetworkError(f"there is no image {reference} here, and `docker pull` fails: {error.tail}") from error

    def remove(self, reference: str) -> None:
        """Remove an image by a name, and the layers that no other image has."""
        import docker  # noqa: PLC0415 - slow to import, and `baker --help` has no use for it

        try:
            self.sdk.images.remove(reference)
        except docker.errors.ImageNotFound:
            return
        except docker.errors.APIError as error:
            raise EngineError(f"{reference} cannot be removed: {error.explanation}") from error

    def import_root(self, tarball: Path, repository: str, tag: str) -> None:
        """Import the tarball of a root file system as an image of the engine's own platform."""
        answer = self.sdk.api.import_image_from_file(str(tarball), repository=repository, tag=tag)
        if "errorDetail" in str(answer):
            raise EngineError(f"docker import of {tarball} as {repository}:{tag} failed: {answer}")

    def load(self, tarball: Path) -> None:
        """Load the images of a tarball, with the names that it gives them."""
        self.command("image", "load", "--quiet", "--input", str(tarball))

    def loading(self) -> AbstractContextManager[IO[bytes]]:
        """Yield a stream; the tarball that is written to it is loaded as load() does it.

        Raises:
            CommandError: it is none, or the engine has no room for it.
        """
        return process.feed(["docker", "image", "load", "--quiet"], env=self.environment)

    def save(self, reference: str, tarball: Path) -> None:
        """Write an image to a tarball; since Docker 25 that is an OCI layout."""
        self.command("image", "save", "--output", str(tarball), reference)

    @contextmanager
    def saved(self, reference: str) -> Iterator[IO[bytes]]:
        """Yield an image as the tar stream of `docker save`."""
        yield streams.stream(self.sdk.api.get_image(reference, chunk_size=streams.SIZE))

    @contextmanager
    def container(
        self,
        reference: str,
        command: Sequence[str],
        *,
        volume: tuple[str, bytes] | None = None,
        **options: Any,  # noqa: ANN401 - the SDK names them
    ) -> Iterator[Any]:
        """Create a container and yield the SDK's handle. It goes with the block, and so do its volumes.

        Args:
            reference: the image.
            command: the arguments of its entrypoint.
            volume: where a volume goes, and a tar archive of its files: it can be filled when all else is read-only.
            options: what else `docker create` knows, as the SDK names it.

        Raises:
            EngineError: the engine refuses to create it, or what the block asks of it.
        """
        import docker  # noqa: PLC0415 - slow to import, and `baker --help` has no use for it
        import requests  # noqa: PLC0415 - what the SDK lets through

        mark, made = uuid.uuid4().hex, None
        if volume:
            options["mounts"] = [{"Type": "volume", "Target": volume[0]}]
        try:
            made = self.sdk.containers.create(reference, list(command), labels={MOMENTARY: mark}, **options)
            if volume:
                made.put_archive(*volume)
            yield made
        except docker.errors.APIError as error:
            raise EngineError(f"docker cannot run {reference}: {error.explanation}") from error
        except requests.RequestException as error:
            raise EngineError(f"docker does not answer while {reference} runs: {error}") from error
        finally:
            self._remove_container(mark, late=made is None)

    def _remove_container(self, mark: str, *, late: bool) -> None:
        """Remove a container by its label: Ctrl-C may come between its making and the arrival of its id.

        With `late` the engine may still be making it, and gets a moment.
        """
        for _ in range(LATE_LOOKS if late else 1):
            found = self.sdk.containers.list(all=True, filters={"label": f"{MOMENTARY}={mark}"})
            for item in found:
                item.remove(force=True, v=True)
            if found:
                return
            time.sleep(0.1 if late else 0)
