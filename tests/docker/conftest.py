"""Fixtures for tests that start real containers."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from baker import bases, project


@pytest.fixture(scope="session", autouse=True)
def heeded_signals() -> None:
    """Let the programs under test heed signals that whoever runs the tests ignores, as nohup does with SIGHUP.

    That a signal is ignored is inherited; a handler is not.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


@pytest.fixture(scope="session")
def debian_root() -> str:
    """The Debian root image that the debian base builds on, made when it is missing."""
    found = project.find(Path(__file__).parent)
    root = bases.root(found.pins().debian.suite, found.settings().mirrors)
    bases.ensure(root, print)
    return root.reference
