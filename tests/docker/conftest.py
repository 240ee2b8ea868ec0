"""Fixtures for tests that start real containers."""

from __future__ import annotations

from pathlib import Path

import pytest

from baker import bases, project


@pytest.fixture(scope="session")
def debian_root() -> str:
    """The Debian root image that the debian base builds on, made when it is missing."""
    found = project.find(Path(__file__).parent)
    root = bases.root(found.pins().debian.suite, found.settings().mirrors)
    bases.ensure(root, print)
    return root.reference
