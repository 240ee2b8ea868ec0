"""What a build chooses, for tests that plan: each names only what it is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from baker.config.platforms import AMD64
from baker.dockerfile.choice import Choice

CHOICE = Choice(
    base="debian",
    accel="cuda",
    capabilities=(80,),
    root="baker-root:golden",
    link=True,
    variant="slim",
    platform=AMD64,
    build_platform=AMD64,
    build_root="baker-root:golden",
    local=AMD64,
)


def choice(**more: Any) -> Choice:
    """Return the usual choice with something else in it."""
    return replace(CHOICE, **more)
