"""What a build shows while it runs."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from baker.buildkit import display
from tests.documentation import PLAIN


@pytest.mark.parametrize("terminal", [False, True])
def test_only_a_terminal_gets_a_bar(monkeypatch, terminal):
    monkeypatch.setattr(display, "QUIET_SECONDS", -1)
    stage = SimpleNamespace(name="binary", started=1.0, complete=False, crates=(120, 345))
    progress: Any = SimpleNamespace(stages={"binary": stage}, exporting="")
    said = io.StringIO()
    with display.Screen(console=Console(file=said, force_terminal=terminal, width=120)).shown(progress) as show:
        show(progress)
    assert "crate 120 of 345" in said.getvalue()
    assert bool(PLAIN.fullmatch(said.getvalue())) is not terminal
    assert ("██" in said.getvalue()) is terminal
