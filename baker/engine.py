"""The Docker engine, through its SDK: ask, inspect, tag, import. What runs on it is in containers.py."""

from __future__ import annotations

import os
import platform
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from baker import chunks, dial, run
from baker.errors import CommandError, EngineError, NetworkError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import IO

    from docker import DockerClient

DEFAULT = "unix:///var/run/docker.sock"
# What the SDK connects to as the docker command line does; ssh and TLS are left to that.
DIRECT = ("unix://", "npipe://")
START_HINT = "is it running, and may this user talk to it? (`docker info` says the same)"


@dataclass(frozen=True, kw_only=True)
class Engine:
    """What the engine says of itself. `containerd_store` can hold attestations and several compressions.

    `local` says whether its files, as those under `root`, are this machine's.
    """

    id: str
    version: str
    containerd_store: bool
    root: str
    local: bool


@dataclass(frozen=True, kw_only=True)
class LocalImage:
    """An image of the local store. `size` is in bytes, uncompressed; `layers` are digests of uncompressed layers."""

    id: str
    tags: tuple[str, ...]
    size: int
    labels: Mapping[str, str]
    layers: tuple[str, ...]
    config: Mapping[str, Any]


@contextmanager
def connect() -> Iterator[DockerClient]:
    """Yield a client for the engine that the docker command line uses, contexts included.

    Raises:
        EngineError: no engine answers.
    """
    import docker  # noqa: PLC0415 - slow to import, and `baker --help` has no use for it

    host = os.environ.get("DOCKER_HOST") or _context_host()
    with nullcontext(host) if host.startswith(DIRECT) else dial.through_cli() as address:
        try:
            client = docker.DockerClient(base_url=address, timeout=600)
            client.ping()
        except (docker.errors.DockerException, OSError) as error:
            raise EngineError(f"no Docker engine answers at {host}: {START_HINT}") from error
        try:
            yield client
        finally:
            client.close()


def login(host: str) -> tuple[str, str] | None:
    """Return the name and the password that `docker login` has stored for a registry; None where there are none."""
    from docker import auth  # noqa: PLC0415

    found = auth.load_config().resolve_authconfig(host)
    return (found["username"], found["password"]) if found and found.get("username") else None


def describe() -> Engine:
    """Return what the engine says of itself."""
    with connect() as client:
        info = client.info()
        stores = [" ".join(pair) for pair in info.get("DriverStatus") or ()]
        return Engine(
            id=str(info.get("ID", "")),
            version=str(client.version()["Version"]),
            containerd_store=any("io.containerd.snapshotter" in pair for pair in stores),
            root=str(info.get("DockerRootDir", "")),
            local=info.get("Name") == platform.node(),
        )


def image(reference: str) -> LocalImage | None:
    """Return a local image, or None where there is none of that name.

    Raises:
        UsageError: no image can have that name.
    """
    import docker  # noqa: PLC0415

    with connect() as client:
        try:
            found = _api(client).inspect_image(reference)
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
    )


def history(reference: str) -> tuple[str, ...]:
    """Return the instructions that made a local image, newest first."""
    with connect() as client:
        return tuple(line.get("CreatedBy") or "" for line in _api(client).history(reference))


def ids(references: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of images, in order; none when one of them is not here.

    Through the command line: it answers before the SDK is imported.
    """
    try:
        return tuple(run.capture(["docker", "image", "inspect", "--format", "{{.Id}}", *references]).split())
    except CommandError:
        return ()


def labels(label: str) -> tuple[dict[str, str], ...]:
    """Return all labels of each image that has a certain one."""
    with connect() as client:
        found = _api(client).images(filters={"label": label})
    return tuple(image.get("Labels") or {} for image in found)


def import_root(tarball: Path, repository: str, tag: str) -> None:
    """Import the tarball of a root file system as an image."""
    with connect() as client:
        answer = client.api.import_image_from_file(str(tarball), repository=repository, tag=tag)
    if "errorDetail" in str(answer):
        raise EngineError(f"docker import of {tarball} as {repository}:{tag} failed: {answer}")


def load(tarball: Path) -> None:
    """Load the images of a tarball, with the names that it gives them."""
    run.capture(["docker", "image", "load", "--quiet", "--input", str(tarball)])


@contextmanager
def loading() -> Iterator[IO[bytes]]:
    """Yield a stream; the tarball that is written to it is loaded as load() does it.

    Raises:
        CommandError: it is none, or the engine has no room for it.
    """
    with run.feed(["docker", "image", "load", "--quiet"]) as stdin:
        yield stdin


def save(reference: str, tarball: Path) -> None:
    """Write an image to a tarball; since Docker 25 that is an OCI layout."""
    run.capture(["docker", "image", "save", "--output", str(tarball), reference])


def tag(source: str, target: str) -> None:
    """Give an image one more name."""
    repository, _, name = target.rpartition(":")
    with connect() as client:
        client.images.get(source).tag(repository, tag=name)


def untag(reference: str) -> None:
    """Take a name away from an image; other names, the layers under them, and containers that end stay."""
    import docker  # noqa: PLC0415

    with connect() as client:
        try:
            client.api.remove_image(reference, noprune=True, force=True)
        except docker.errors.ImageNotFound:
            return
        except docker.errors.APIError as error:
            raise EngineError(f"{reference} cannot be untagged: {error.explanation}") from error


def uncompressed_size(reference: str) -> int:
    """Return the bytes of an image's layers, unpacked.

    `docker image inspect` says it in the classic store and, for layers that were stored uncompressed, in containerd's;
    where layers are compressed, the history has each one's size on disk.
    """
    with connect() as client:
        size = int(_api(client).inspect_image(reference)["Size"])
        unpacked = sum(int(layer["Size"]) for layer in _api(client).history(reference))
    # On disk a layer is a few per cent larger than its files.
    return size if size * 1.2 > unpacked else unpacked


def pull(reference: str) -> None:
    """Fetch an image from its registry, with the logins of `docker login`.

    Raises:
        NetworkError: the registry cannot be reached, refuses, or has no such image.
    """
    try:
        run.capture(["docker", "pull", "--quiet", reference])
    except CommandError as error:
        raise NetworkError(f"there is no image {reference} here, and `docker pull` fails: {error.tail}") from error


def remove(reference: str) -> None:
    """Remove an image by a name, and the layers that no other image has."""
    import docker  # noqa: PLC0415

    with connect() as client:
        try:
            client.images.remove(reference)
        except docker.errors.ImageNotFound:
            return


@contextmanager
def saved(reference: str) -> Iterator[IO[bytes]]:
    """Yield an image as the tar stream of `docker save`."""
    with connect() as client:
        yield chunks.stream(_api(client).get_image(reference, chunk_size=chunks.SIZE))


def _api(client: DockerClient) -> Any:  # noqa: ANN401
    """Return the low-level client, whose answers are the engine's own JSON and have no types."""
    return client.api


def _context_host() -> str:
    """Return the endpoint of the docker command line's current context."""
    try:
        return run.capture(["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]).strip()
    except CommandError as error:
        if error.returncode == run.NOT_STARTED:
            return DEFAULT
        raise EngineError(f"{error.tail}; `docker context ls` lists what there is") from error
