"""What is started in all three ways: a service, two versions of its crate, and how to tell that it spoke."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from baker.config.pins import CratePin


@dataclass(frozen=True, kw_only=True)
class Versions:
    """A crate, the release that is pinned, and the one before it, which an upgrade starts from."""

    crate: str
    previous: CratePin
    pinned: CratePin


class Subject(Protocol):
    """A service that can be started.

    A mark is what tells one of its configs from another: the word comes only where the config with the mark is in
    force. `command` is a container's, `room` the bytes of disk that a run takes.
    """

    form: str
    service: str
    command: str
    room: int

    def versions(self) -> Versions:
        """Return the two versions."""
        ...

    def lay_out(self, root: Path) -> None:
        """Write the folders `services` and `models` of a project."""
        ...

    def configure(self, root: Path, mark: str) -> None:
        """Change the service's config so that it has this mark."""
        ...

    def said(self, container: Any, mark: str) -> bool:  # noqa: ANN401
        """Whether the container says its word, under the config with this mark."""
        ...


def addresses(container: Any) -> tuple[str, ...]:  # noqa: ANN401
    """Return the addresses of a container in its networks: the host reaches them where nothing can be published."""
    networks = container.attrs["NetworkSettings"]["Networks"].values()
    return tuple(network["IPAddress"] for network in networks if network["IPAddress"])
