"""The engine as everything else sees it: a small protocol, and the values that it answers with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class EngineInfo:
    """What the engine says of itself.

    Attributes:
        id: tells this engine from all others.
        version: as in "26.1.5".
        machine: its processor, as the kernel calls it: "x86_64", "aarch64".
        containerd_store: whether images are in containerd's store, which holds attestations and several compressions.
        root: the folder of its files.
        local: whether that folder is on this machine.
        cores: of its machine; 0 where it does not say.
        security: what it does for security, as in "rootless", "userns" (other numbers of users), "selinux".
        podman: whether it is podman, which answers as Docker does.
    """

    id: str
    version: str
    machine: str
    containerd_store: bool
    root: str
    local: bool
    cores: int = 0
    security: tuple[str, ...] = ()
    podman: bool = False


@dataclass(frozen=True, kw_only=True)
class LocalImage:
    """An image of the local store. `size` is in bytes, uncompressed; `layers` are digests of uncompressed layers.

    `platform` is what it runs on, as in "linux/amd64"; empty where the engine does not say it.
    """

    id: str
    tags: tuple[str, ...]
    size: int
    labels: Mapping[str, str]
    layers: tuple[str, ...]
    config: Mapping[str, Any]
    platform: str = ""

    @property
    def name(self) -> str:
        """What people call it: its first tag, else its id."""
        return self.tags[0] if self.tags else self.id

    @property
    def environment(self) -> dict[str, str]:
        """The variables that its containers get."""
        pairs = (item.partition("=") for item in self.config.get("Env") or ())
        return {name: value for name, _, value in pairs}


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer of a local image: digest and bytes of its files, unpacked, and the instruction that made it, if known."""

    digest: str
    size: int
    instruction: str


class Engine(Protocol):
    """What baker asks of a Docker engine. `environment` is that of every program which is started for it."""

    environment: Mapping[str, str]

    def command(self, *argv: str, cwd: Path | None = None) -> str:
        """Run a command of the docker command line and return what it printed. Raises CommandError."""
        ...

    def describe(self) -> EngineInfo:
        """Return what the engine says of itself."""
        ...

    def image(self, reference: str) -> LocalImage | None:
        """Return a local image, or None where there is none of that name."""
        ...

    def ids(self, references: Sequence[str]) -> tuple[str, ...]:
        """Return the ids of images, in order; none when one of them is not here."""
        ...

    def labels(self, label: str) -> tuple[dict[str, str], ...]:
        """Return all labels of each image that has a certain one."""
        ...

    def history(self, reference: str) -> tuple[str, ...]:
        """Return the instructions that made a local image, newest first."""
        ...

    def layers(self, reference: str) -> tuple[Layer, ...]:
        """Return the layers of a local image, lowest first."""
        ...

    def all_images(self) -> tuple[LocalImage, ...]:
        """Return all images of the local store that have a name."""
        ...

    def uncompressed_size(self, reference: str) -> int:
        """Return the bytes of an image's layers, unpacked."""
        ...

    def tag(self, source: str, target: str) -> None:
        """Give an image one more name."""
        ...

    def untag(self, reference: str) -> None:
        """Take a name away from an image; its other names, its layers and its containers stay."""
        ...

    def pull(self, reference: str) -> None:
        """Fetch an image from its registry. Raises NetworkError."""
        ...

    def remove(self, reference: str) -> None:
        """Remove an image by a name, and the layers that no other image has."""
        ...

    def import_root(self, tarball: Path, repository: str, tag: str) -> None:
        """Import the tarball of a root file system as an image of the engine's own platform."""
        ...

    def load(self, tarball: Path) -> None:
        """Load the images of a tarball, with the names that it gives them."""
        ...

    def loading(self) -> AbstractContextManager[IO[bytes]]:
        """Yield a stream; the tarball that is written to it is loaded."""
        ...

    def save(self, reference: str, tarball: Path) -> None:
        """Write an image to a tarball."""
        ...

    def saved(self, reference: str) -> AbstractContextManager[IO[bytes]]:
        """Yield an image as the tar stream of `docker save`."""
        ...

    def container(
        self,
        reference: str,
        command: Sequence[str],
        *,
        volume: tuple[str, bytes] | None = None,
        **options: Any,  # noqa: ANN401 - the SDK names them
    ) -> AbstractContextManager[Any]:
        """Create a container and yield the SDK's handle; container and volumes go with the block."""
        ...
