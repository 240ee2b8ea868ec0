"""Fixtures for tests that start real containers."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session")
def debian_root() -> str:
    return os.environ.get("BAKER_TEST_ROOT", "baker-probe:trixie")
