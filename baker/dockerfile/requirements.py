"""What an image must be: planning makes it, the image's labels carry it, verify reads it from either."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from baker.dockerfile import labels as names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from baker.config.service import Service

BUILDER_ENV = "BAKER_VARIANT=builder"


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """What an image must be.

    Attributes:
        binary: what its programs under /opt/baker/bin are called, before the variant.
        imports: modules that its Python environment must import; none where it has no environment.
        embeds_python: whether the binary does that, with an interpreter of its own.
        packages: what is installed on purpose, a compiler too.
        budget: bytes that it may have; 0 is any number.
        builder: whether it is the variant with the toolchain.
        unresolved: patterns of files that may need libraries which are not there.
        duplicates: patterns of large files that may be there more than once.
        port: where its server listens; 0 where it is none.
        health: whether it has a health check.
        ptx: the version and the targets of the PTX in its binaries, as in "8.7 sm_80"; empty is not looked at.
        cuda: the release of the toolkit that the PTX is from, where it is known.
        labels: those that it must have; None as a value takes any.
        entrypoint: None takes any.
    """

    binary: str
    imports: tuple[str, ...]
    embeds_python: bool
    packages: tuple[str, ...]
    budget: int
    builder: bool
    unresolved: tuple[str, ...]
    duplicates: tuple[str, ...]
    port: int
    health: bool
    ptx: str = ""
    cuda: str = ""
    labels: tuple[tuple[str, str | None], ...] = ()
    entrypoint: tuple[str, ...] | None = None

    def as_labels(self) -> dict[str, str]:
        """Return the labels that carry it; some are empty."""
        return {
            names.BINARY: self.binary,
            names.BUDGET: str(self.budget or ""),
            names.DUPLICATES: " ".join(self.duplicates),
            names.EMBEDS_PYTHON: "true" if self.embeds_python else "",
            names.IMPORTS: " ".join(self.imports),
            names.PACKAGES: " ".join(self.packages),
            names.PTX: self.ptx,
            names.UNRESOLVED: " ".join(self.unresolved),
        }


def of(
    service: Service,
    packages: tuple[str, ...],
    entrypoint: tuple[str, ...],
    *,
    builder: bool,
    ptx: str = "",
    cuda: str = "",
) -> Requirements:
    """Return what the image of a service must be, but for its labels.

    Args:
        service: the service.
        packages: what is installed on purpose.
        entrypoint: that of the image.
        builder: whether it is the variant with the toolchain.
        ptx: that of its binaries, if they hold some.
        cuda: the toolkit that it is from.
    """
    return Requirements(
        binary=service.crate.binary,
        imports=service.imports,
        embeds_python=service.crate.embeds_python,
        packages=packages,
        budget=service.image.budget,
        builder=builder,
        unresolved=service.allowed.unresolved,
        duplicates=service.allowed.duplicates,
        port=service.image.port,
        health=bool(service.image.health),
        ptx=ptx,
        cuda=cuda,
        entrypoint=entrypoint,
    )


def from_labels(labels: Mapping[str, str], config: Mapping[str, Any]) -> Requirements:
    """Return what an image must be by its own labels and its config, as the engine gives them."""

    def words(name: str) -> tuple[str, ...]:
        return tuple(labels.get(name, "").split())

    ports = (int(port.partition("/")[0]) for port in config.get("ExposedPorts") or ())
    budget = labels.get(names.BUDGET, "")
    return Requirements(
        binary=labels.get(names.BINARY, ""),
        imports=words(names.IMPORTS),
        embeds_python=labels.get(names.EMBEDS_PYTHON) == "true",
        packages=words(names.PACKAGES),
        budget=int(budget) if budget.isdecimal() else 0,
        builder=BUILDER_ENV in (config.get("Env") or ()),
        unresolved=words(names.UNRESOLVED),
        duplicates=words(names.DUPLICATES),
        port=min(ports, default=0),
        health=bool(config.get("Healthcheck")),
        ptx=labels.get(names.PTX, ""),
        cuda=labels.get(names.CUDA, ""),
        labels=tuple((name, None) for name in names.ALWAYS),
    )
