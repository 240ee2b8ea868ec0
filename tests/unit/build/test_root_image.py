"""A root of another platform is refused in one line where this machine cannot make it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from baker.build import root_image
from baker.config import project
from baker.config.platforms import AMD64, ARM64
from baker.dockerfile import root
from baker.errors import EngineError
from baker.system import emulation
from tests.unit.fakes import FakeEngine

PROJECT = project.find(Path(__file__).parent)


@pytest.mark.parametrize(("qemu", "arch_test"), [(False, True), (True, False)])
def test_what_is_missing_is_named_before_anything_is_made(monkeypatch, qemu, arch_test):
    there = {"mmdebstrap", *(("arch-test",) if arch_test else ())}
    monkeypatch.setattr(shutil, "which", lambda name, **_: f"/usr/bin/{name}" if name in there else None)
    monkeypatch.setattr(emulation, "runs", lambda *_: qemu)
    monkeypatch.setattr("os.uname", lambda: type("Uname", (), {"machine": AMD64.machine}))
    wanted = root.root(PROJECT.read_pins().debian, PROJECT.read_settings().mirrors, ARM64)
    said: list[str] = []
    with pytest.raises(EngineError, match="apt-get install qemu-user-static binfmt-support arch-test"):
        root_image.ensure(FakeEngine(), wanted, said.append)
    assert said == []
