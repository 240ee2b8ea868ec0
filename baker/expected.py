"""What an image should be: as a plan says it, or, where only the image is at hand, as its own labels do."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from baker.engine import LocalImage
    from baker.plan import ImagePlan

# Every image has these; without them nobody knows what it should be.
LABELS = ("dev.baker.accel", "dev.baker.base", "dev.baker.binary", "dev.baker.crate", "dev.baker.service")


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What an image should be.

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
        labels: those that it must have; None as a value takes any.
        entrypoint: None takes any.
        last: the one path that each of the last layers holds, from the top, under that of WORKDIR; () if not known.
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
    labels: tuple[tuple[str, str | None], ...]
    entrypoint: tuple[str, ...] | None = None
    last: tuple[str, ...] = ()


def by_plan(planned: ImagePlan) -> Expected:
    """Return what the image of a plan should be."""
    return Expected(
        binary=planned.crate.binary,
        imports=planned.imports,
        embeds_python=planned.embeds_python,
        packages=planned.packages,
        budget=planned.budget,
        builder=planned.builder is not None,
        unresolved=planned.unresolved,
        duplicates=planned.duplicates,
        port=planned.port,
        health=bool(planned.health),
        labels=planned.labels,
        entrypoint=planned.entrypoint,
        last=() if planned.builder else _last(planned),
    )


def by_labels(image: LocalImage) -> Expected:
    """Return what an image should be by its labels, which planner.py gave it."""
    labels = image.labels
    builder = "BAKER_VARIANT=builder" in (image.config.get("Env") or ())
    return Expected(
        binary=labels.get("dev.baker.binary", ""),
        imports=tuple(labels.get("dev.baker.imports", "").split()),
        embeds_python=labels.get("dev.baker.embeds-python") == "true",
        packages=tuple(labels.get("dev.baker.packages", "").split()),
        budget=0 if builder else int(labels.get("dev.baker.budget", "0")),
        builder=builder,
        unresolved=tuple(labels.get("dev.baker.unresolved", "").split()),
        duplicates=tuple(labels.get("dev.baker.duplicates", "").split()),
        port=min((int(port.partition("/")[0]) for port in image.config.get("ExposedPorts") or ()), default=0),
        health=bool(image.config.get("Healthcheck")),
        labels=tuple((name, None) for name in LABELS),
    )


def _last(planned: ImagePlan) -> tuple[str, ...]:
    """Return what the last copies of a plan make, from the top: down to one that shares its folder with others.

    So does a whole tree, as a venv's; a file of several layers could not be told apart in it.
    """
    found: list[str] = []
    for copy in reversed(planned.copies):
        path = copy.target + posixpath.basename(copy.source) if copy.target.endswith("/") else copy.target
        if copy.target == "/" or any(_within(path, other) or _within(other, path) for other in found):
            break
        found.append(path)
    return tuple(found)


def _within(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder}/")
