"""Checks of an image, by its plan or by its labels."""

from __future__ import annotations

from dataclasses import replace

from baker.verify import verifier
from tests.docker.here import ENGINE


def verified(reference, planned):
    image = verifier.require_image(ENGINE, reference, "")
    return verifier.check_built(ENGINE, image, planned, say=print)


def labelled(reference):
    return verifier.check_image(ENGINE, reference, say=print)


def demanding(planned, **changes):
    return replace(planned, requirements=replace(planned.requirements, **changes))


def failed(checks):
    return {item.name: item.detail for item in checks if not item.passed}
