"""Checking images that are there already: those of a project, and those of any registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baker.dockerfile import bakefile
from baker.verify import verifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from baker.build.prepare import Prepared
    from baker.engine.interface import Engine
    from baker.verify.checks import Check


def verify_images(prepared: Prepared, engine: Engine, say: Callable[[str], None]) -> dict[str, tuple[Check, ...]]:
    """Check the tagged images of some services; the result is by image."""
    results = {}
    for planned in prepared.plan.services:
        reference = bakefile.names(prepared.plan, prepared.request.settings, planned.name)[0]
        image = verifier.require_image(engine, reference, f"run `baker build {planned.name}`")
        results[reference] = verifier.check_built(engine, image, planned, say=say)
    return results


def verify_references(
    references: Sequence[str], engine: Engine, say: Callable[[str], None]
) -> dict[str, tuple[Check, ...]]:
    """Check images of any registry by what their labels say; the result is by image. One that is not here is pulled."""
    results = {}
    for reference in references:
        with verifier.present(engine, reference):
            results[reference] = verifier.check_image(engine, reference, say=say)
    return results


def require_all(results: Mapping[str, tuple[Check, ...]]) -> None:
    """Raise VerifyError for the first image that failed a check."""
    for reference, checks in results.items():
        verifier.require(reference, checks)
