"""The base: which one a build takes, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baker.dockerfile.bases import mirrored
from baker.errors import BakerError
from baker.registry.certificates import Certificates
from baker.registry.client import Registries
from baker.registry.logins import Logins
from baker.registry.references import Reference
from baker.registry.session import Connector

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from baker.config.pins import NvidiaPin

SECONDS = 5.0
UPGRADE = "`baker lock --upgrade nvidia` pins what there is now"


def choose(
    wanted: str, registry: str, pinned: NvidiaPin, missing: Callable[[Sequence[Reference]], str]
) -> tuple[str, str]:
    """Return the base to take and one line that says why.

    Args:
        wanted: auto, nvidia or debian.
        registry: the mirror's prefix; empty is Docker Hub.
        pinned: NVIDIA's images, as baker.lock has them.
        missing: returns why one of some images cannot be had, empty when all answer.
    """
    if wanted == "debian":
        return wanted, "base debian, as asked"
    images = tuple(Reference.parse(mirrored(text, registry)) for text in (pinned.devel, pinned.runtime))
    host = images[0].registry
    trouble = missing(images)
    if wanted != "auto":
        # The builder may have the images; when it does not, this line says what to do.
        return wanted, f"base {wanted}, as asked" + (f"; note: {trouble}" if trouble else "")
    if trouble:
        return "debian", f"base debian, since {trouble}"
    return "nvidia", f"base nvidia, since {host} has its images"


def missing(environment: Mapping[str, str]) -> Callable[[Sequence[Reference]], str]:
    """Return what asks registries for images, once and with a short time-out, with the logins of an environment."""

    def ask(images: Sequence[Reference]) -> str:
        logins, certificates = Logins.of(environment), Certificates.of(environment)
        connector = Connector(logins=logins, certificates=certificates, tries=1, seconds=SECONDS)
        return look(images, Registries(connector=connector))

    return ask


def look(images: Sequence[Reference], registries: Registries) -> str:
    """Ask registries for images, by digest where they have one. Return why one cannot be had, or an empty string."""
    for image in images:
        try:
            with registries.repository(image) as repository:
                if not repository.digest(image.pointer):
                    return f"{image.registry} does not have {image}: {UPGRADE}"
        except BakerError as error:
            return str(error)
    return ""
