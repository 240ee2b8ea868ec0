"""The labels of an image: what it was made of, and what verify needs to know where no project is at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baker.plan import Choice
    from baker.spec import Service


def make(
    service: Service,
    *,
    version: str,
    choice: Choice,
    cuda: str,
    driver_floor: str,
    python: str,
    packages: Sequence[str],
) -> tuple[tuple[str, str], ...]:
    """Return the labels of a service's image, sorted, without those that would be empty.

    Args:
        service: the service.
        version: its crate's.
        choice: what the user chose.
        cuda: the toolkit's version; empty where the image has no GPU code, as are its driver's floor and capabilities.
        driver_floor: the oldest driver.
        python: the interpreter's version.
        packages: what is installed on purpose.
    """
    labels = {
        "org.opencontainers.image.title": service.title,
        "org.opencontainers.image.description": service.description,
        "org.opencontainers.image.version": version,
        "dev.baker.service": service.name,
        "dev.baker.base": choice.base,
        "dev.baker.accel": "cuda" if cuda else "cpu",
        "dev.baker.crate": service.crate.name,
        "dev.baker.crate.version": version,
        "dev.baker.capabilities": " ".join(str(number) for number in choice.capabilities) if cuda else "",
        "dev.baker.cuda": cuda,
        "dev.baker.driver-floor": driver_floor,
        "dev.baker.python": python if service.python else "",
        "dev.baker.binary": service.crate.binary,
        "dev.baker.budget": str(service.image.budget or ""),
        "dev.baker.duplicates": " ".join(service.allowed.duplicates),
        "dev.baker.embeds-python": "true" if service.crate.embeds_python else "",
        "dev.baker.imports": " ".join(service.imports),
        "dev.baker.packages": " ".join(packages),
        "dev.baker.unresolved": " ".join(service.allowed.unresolved),
    }
    return tuple((key, value) for key, value in sorted(labels.items()) if value)
