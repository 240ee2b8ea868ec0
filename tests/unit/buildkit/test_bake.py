"""The argument list of bake, the one time of a reproducible build, and what is built again."""

from __future__ import annotations

import io
from contextlib import contextmanager
from functools import partial
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
    """Bake with a stand-in that prints one of the lines at each call and fails with it; "" succeeds. Nobody waits."""
    monkeypatch.setattr(bake, "patiently", partial(bake.patiently, wait=lambda _: None))
    monkeypatch.setattr("random.uniform", lambda *_: 1.0)

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
            log = tmp_path / "log"
            bake.bake(["bake"], context=tmp_path, environment={}, log=log, screen=screen, watch=seen.append)
        except BuildError as error:
            said.write(f"error: {error}")
        return said.getvalue().splitlines(), len({id(one) for one in seen}), len(lines) - len(left)

    return call


def test_a_step_that_buildkit_lost_is_built_again(baked):
    said, seen, calls = baked(FAULT, FAULT, "")
    assert said == [bake.AGAIN.format(pause) for pause in bake.PAUSES[:2]]
    assert (seen, calls) == (2, 3), "each try has a Progress of its own"


def test_it_is_not_tried_for_ever(baked):
    tries = len(bake.PAUSES) + 1
    said, _, calls = baked(*[FAULT] * tries, "")
    assert "error: " in said[tries - 1]
    assert "failed to get state" in said[tries - 1]
    assert calls == tries


def test_a_fault_of_what_is_built_is_not_tried_again(baked):
    said, seen, calls = baked("ERROR: the compiler says no", "")
    assert said[0].startswith("error: docker buildx bake failed: ERROR: the compiler says no")
    assert (seen, calls) == (1, 1)
