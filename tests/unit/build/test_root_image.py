"""A root of another platform is refused in one line where this machine cannot make it."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest

from baker.build import root_image
from baker.config import project
from baker.config.platforms import AMD64, ARM64
from baker.dockerfile import root
from baker.errors import CommandError, EngineError
from baker.system import emulation, patience, process
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


# https://salsa.debian.org/apt-team/apt/-/blob/main/methods/connect.cc: the first address, and all that follow it.
@pytest.mark.parametrize(
    "said",
    [
        "E: Failed to fetch http://x/y.deb  Could not connect to x:80 (10.0.0.1). - connect (111: Connection refused)",
        "E: Failed to fetch http://x/y.deb  Unable to connect to x:http: [IP: 10.0.0.1 80]",
        "E: Failed to fetch http://x/y.deb  Cannot initiate the connection to x:80 (fd00::1).",
    ],
)
def test_an_archive_that_does_not_answer_is_asked_again(monkeypatch, said):
    calls: list[object] = []
    told: list[str] = []

    def capture(argv, *, env):
        calls.append((argv, env))
        if len(calls) == 1:
            raise CommandError(tuple(argv), 100, said)

    monkeypatch.setattr(process, "capture", capture)
    monkeypatch.setattr(patience, "patiently", partial(patience.patiently, wait=lambda _: None))
    root_image.mmdebstrap(["trixie"], {"LC_ALL": "de_DE.UTF-8"}, told.append)
    assert calls == [(["mmdebstrap", "trixie"], {"LC_ALL": "C"})] * 2
    assert ["the archive does not answer" in line for line in told] == [True]


def test_an_archive_that_says_no_is_not_asked_again(monkeypatch):
    calls = []

    def capture(argv, **_):
        calls.append(argv)
        raise CommandError(tuple(argv), 100, "E: The repository 'http://x trixie Release' has no Release file.")

    monkeypatch.setattr(process, "capture", capture)
    with pytest.raises(CommandError):
        root_image.mmdebstrap(["trixie"], {}, lambda _: None)
    assert len(calls) == 1
