"""The one place that talks to the Docker engine through its SDK: ask, inspect, run, tag, import."""

from __future__ import annotations

import os
import platform
import time
import uuid
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

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
CONTAINER_LABEL = "dev.baker.container"
LATE_LOOKS = 20
# The container has ended: before the engine was asked, or while it was at it.
ENDED = (409, 404)
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


def copied(reference: str, paths: Sequence[str]) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield each path of an image, a file or a folder, that is there, with its tar stream."""
    import docker  # noqa: PLC0415

    # Nothing of it runs: an image without a command can be read too.
    with container(reference, ["true"]) as made:
        for path in paths:
            try:
                content, _ = made.get_archive(path)
            except docker.errors.NotFound:
                continue
            yield path, chunks.stream(content)


@contextmanager
def container(
    reference: str,
    command: Sequence[str],
    *,
    volume: tuple[str, bytes] | None = None,
    **options: Any,  # noqa: ANN401 - the SDK names them
) -> Iterator[Any]:
    """Create a container and yield the SDK's handle. It goes with the block, however that ends, and so do its volumes.

    Args:
        reference: the image.
        command: the arguments of its entrypoint.
        volume: where a volume goes, and a tar archive of what is in it: it can be filled when all else is read-only.
        options: what else `docker create` knows, as the SDK names it.

    Raises:
        EngineError: the engine refuses to create it, or what the block asks of it.
    """
    import docker  # noqa: PLC0415
    import requests  # noqa: PLC0415 - what the SDK lets through

    mark = uuid.uuid4().hex
    with connect() as client:
        made = None
        if volume:
            options["mounts"] = [{"Type": "volume", "Target": volume[0]}]
        try:
            made = client.containers.create(reference, list(command), labels={CONTAINER_LABEL: mark}, **options)
            if volume:
                made.put_archive(*volume)
            yield made
        except docker.errors.APIError as error:
            raise EngineError(f"docker cannot run {reference}: {error.explanation}") from error
        except requests.RequestException as error:
            raise EngineError(f"docker does not answer while {reference} runs: {error}") from error
        finally:
            # Ctrl-C may come between the engine's making it and its id's arrival, so it is found by its label; an
            # engine that was still at it gets a moment.
            for _ in range(LATE_LOOKS if made is None else 1):
                found = client.containers.list(all=True, filters={"label": f"{CONTAINER_LABEL}={mark}"})
                for item in found:
                    item.remove(force=True, v=True)
                if made is not None or found:
                    break
                time.sleep(0.1)


def execute(made: Any, command: Sequence[str]) -> str:  # noqa: ANN401 - the SDK's own
    """Run a program in a container and return what it printed; nothing when the container has ended."""
    import docker  # noqa: PLC0415

    try:
        return str(made.exec_run(list(command)).output.decode(errors="replace"))
    except docker.errors.APIError as error:
        if error.status_code in ENDED:
            return ""
        raise


def run_once(reference: str, command: Sequence[str], **options: Any) -> str:  # noqa: ANN401 - the SDK names them
    """Run a container to its end, remove it, and return what it printed on both streams.

    Raises:
        CommandError: it ended with another exit code than 0.
        EngineError: it could not be run.
    """
    with container(reference, command, **options) as made:
        made.start()
        code = int(made.wait()["StatusCode"])
        output = str(made.logs().decode(errors="replace"))
    if code:
        raise CommandError(tuple(command), code, "\n".join(output.splitlines()[-run.TAIL_LINES :]))
    return output


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
