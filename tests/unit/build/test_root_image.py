"""A root of another platform is refused in one line where this machine cannot make it."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
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


class Saving(FakeEngine):
    """Saves an image as these files, and then fails where it is told to."""

    def __init__(self, names, error=None):
        super().__init__()
        self.names, self.error, self.count = names, error, 0

    def save(self, reference, tarball):
        del reference
        self.count += 1
        content = json.dumps({"manifests": [{"digest": "sha256:x"}]}).encode()
        with tarfile.open(tarball, "w") as archive:
            for name in self.names:
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        if self.error:
            raise self.error


WHOLE = ("oci-layout", "index.json", "blobs/sha256/x")


def test_a_layout_is_made_once_also_where_an_older_baker_left_a_part_of_it(tmp_path):
    folder = tmp_path / "root/trixie"
    (folder / "blobs").mkdir(parents=True)
    engine = Saving(WHOLE)
    for _ in range(2):
        assert root_image.layout(engine, "baker-root:trixie", folder) == f"oci-layout://{folder}@sha256:x"
    assert engine.count == 1
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == sorted(
        f"root/trixie/{name}" for name in WHOLE
    )


@pytest.mark.parametrize(
    ("engine", "error", "said"),
    [
        (Saving(WHOLE, KeyboardInterrupt()), KeyboardInterrupt, ""),
        (Saving(WHOLE, CommandError(("docker", "image", "save"), 1, "no space left")), CommandError, "no space left"),
        (Saving(("manifest.json", "repositories")), EngineError, "Docker 25 or newer"),
    ],
    ids=["ctrl-c", "a full disk", "an old engine"],
)
def test_a_layout_that_does_not_come_out_leaves_nothing(tmp_path, engine, error, said):
    with pytest.raises(error, match=said or None):
        root_image.layout(engine, "baker-root:trixie", tmp_path / "root/trixie")
    assert list((tmp_path / "root").iterdir()) == []
