"""The argument list of bake, the one time of a reproducible build, and what is built once more."""

from __future__ import annotations

import io
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from msgspec import structs
from rich.console import Console

from baker.buildkit import bake
from baker.buildkit.display import Screen
from baker.config import pins
from baker.errors import BuildError, LockError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baker.buildkit.progress import Progress

PIN = pins.DebianPin(suite="trixie", cuda="12.4", rust="1.85", snapshot="20261123T020933Z")


def test_the_time_is_that_of_the_pins():
    assert PIN.epoch() == 1795399773


def test_without_a_snapshot_there_is_no_time():
    with pytest.raises(LockError, match="snapshot"):
        structs.replace(PIN, snapshot="").epoch()


def test_bake_is_told_the_time():
    argv = bake.arguments(builder="", secrets=(), output="", tags={"stt": "x"}, epoch=5)
    assert "--set=*.args.SOURCE_DATE_EPOCH=5" in argv


FAULT = "ERROR: failed to solve: failed to compute cache key: failed to get state for index 0 on [python 2/4] RUN true"


@pytest.fixture
def baked(tmp_path, monkeypatch):
    """Bake with a stand-in that prints one of the lines at each call and fails with it; "" succeeds."""

    def call(*lines: str) -> tuple[list[str], int, int]:
        left = list(lines)

        @contextmanager
        def stream(*_: object, **__: object) -> Iterator[SimpleNamespace]:
            line = left.pop(0)
            yield SimpleNamespace(stdout=iter([f"{line}\n"] if line else []), wait=lambda: int(bool(line)))

        monkeypatch.setattr("baker.system.process.stream", stream)
        seen: list[Progress] = []
        said = io.StringIO()
        screen = Screen(console=Console(file=said, width=200))
        try:
            bake.bake(["bake"], context=tmp_path, environment={}, log=tmp_path / "log", screen=screen, seen=seen.append)
        except BuildError as error:
            said.write(f"error: {error}")
        return said.getvalue().splitlines(), len(seen), len(lines) - len(left)

    return call


def test_a_step_that_buildkit_lost_is_built_once_more(baked):
    said, seen, calls = baked(FAULT, "")
    assert said == [bake.ONCE_MORE]
    assert (seen, calls) == (1, 2)


def test_it_is_not_tried_for_ever(baked):
    said, seen, calls = baked(FAULT, FAULT, "")
    assert "error: " in said[1]
    assert "failed to get state" in said[1]
    assert (seen, calls) == (1, 2)


def test_a_fault_of_what_is_built_is_not_tried_again(baked):
    said, seen, calls = baked("ERROR: the compiler says no", "")
    assert said[0].startswith("error: docker buildx bake failed: ERROR: the compiler says no")
    assert (seen, calls) == (1, 1)
