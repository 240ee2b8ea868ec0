"""What the doctor says of platforms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from baker.config import project
from baker.doctor import programs
from tests.unit.fakes import FakeEngine

SETTINGS = project.find(Path(__file__).parent).read_settings()


@pytest.mark.parametrize(
    ("says", "wanted", "state", "detail"),
    [
        ("linux/amd64, linux/arm64", (), "ok", "linux/amd64, emulated: linux/arm64"),
        ("linux/arm64, linux/amd64", (), "ok", "linux/arm64, emulated: linux/amd64"),
        (
            "linux/amd64, linux/386",
            (),
            "note",
            "linux/amd64; for linux/arm64: on the engine's machine run `sudo apt-get",
        ),
        ("linux/amd64", ("linux/arm64",), "missing", "tonistiigi/binfmt --install arm64"),
        ("linux/amd64", ("linux/amd64",), "note", "qemu-user-static"),
    ],
)
def test_what_a_builder_builds_for(says, wanted, state, detail):
    engine = FakeEngine(commands={"buildx inspect": f"Driver: docker\nPlatforms: {says}\n"})
    found = programs.platform(replace(SETTINGS, platforms=wanted), engine)
    assert found.state == state
    assert detail in found.detail


def test_a_builder_that_is_not_there():
    found = programs.platform(SETTINGS, FakeEngine(commands={}))
    assert (found.state, "docker buildx ls" in found.detail) == ("missing", True)
