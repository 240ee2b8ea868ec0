"""The Cargo.lock of a toolkit: when it fits, and how it is made."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import structs

from baker.config import project
from baker.config.pins import CratePin
from baker.errors import CommandError, EngineError, LockError, NetworkError
from baker.lock import cargo
from baker.lock.sources import Sources
from baker.system import process

LOCK = """version = 4
[[package]]
name = "thing"
version = "1.2.0"
[[package]]
name = "cudarc"
version = "0.9.9"
[[package]]
name = "cudarc"
version = "0.19.10"
"""
PIN = CratePin(version="1.2.0", sha256="0" * 64)


def packed(**files: str) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as members:
        for name, text in files.items():
            info = tarfile.TarInfo(name.replace("__", "/"))
            info.size = len(text)
            members.addfile(info, io.BytesIO(text.encode()))
    # Without the time: workers of pytest have to collect the same tests.
    return gzip.compress(raw.getvalue(), mtime=0)


CRATE = packed(**{"thing-1.2.0/Cargo.toml": "[package]", "thing-1.2.0/Cargo.lock": LOCK})


@pytest.mark.parametrize(
    ("version", "crates", "fits"),
    [
        ("1.2.0", {"cudarc": "0.9.9"}, True),
        ("1.2.0", {"cudarc": "0.19.0"}, False),
        ("1.2.0", {"other": "1.0.0"}, False),
        ("1.3.0", {}, False),
    ],
)
def test_when_a_lock_fits(version, crates, fits):
    assert cargo.fits(LOCK.encode(), "Cargo.lock", "thing", version, crates) == fits


def test_an_empty_file_is_a_lock_that_does_not_fit():
    assert not cargo.fits(b"", "Cargo.lock", "thing", "1.2.0", {})


@pytest.fixture
def asked(monkeypatch):
    """What cargo is asked; its answer is a lock with the version that was named, or an error."""
    found: list[list[str]] = []
    said = SimpleNamespace(asked=found, fails="")

    def capture(argv, *, cwd):
        found.append(argv)
        if said.fails:
            raise CommandError(tuple(argv), 101, said.fails)
        lock = cwd / "Cargo.lock"
        lock.write_text(lock.read_text().replace("0.19.10", argv[-1]))

    monkeypatch.setattr(process, "find", lambda *_: "cargo")
    monkeypatch.setattr(process, "capture", capture)
    return said


def relock(tmp_path, crates, *, archive=CRATE, index=""):
    return cargo.relock(archive, "thing", PIN, crates, scratch=tmp_path, index=index).decode()


def test_the_newest_of_several_versions_is_moved(tmp_path, asked):
    assert 'version = "0.19.0"' in relock(tmp_path, {"cudarc": "0.19.0"})
    assert asked.asked == [["cargo", "update", "--package", "cudarc@0.19.10", "--precise", "0.19.0"]]


def test_what_is_there_already_is_not_asked_for(tmp_path, asked):
    assert relock(tmp_path, {"cudarc": "0.9.9"}) == LOCK
    assert asked.asked == []


def test_a_mirror_takes_the_place_of_crates_io(tmp_path, asked):
    relock(tmp_path, {"cudarc": "0.19.0"}, index="https://cargo.example.com/index/")
    assert 'source.mirror.registry="sparse+https://cargo.example.com/index/"' in asked.asked[0]


@pytest.mark.parametrize(
    ("fails", "error", "message"),
    [
        ("error: failed to select a version for `x`", LockError, "cargo cannot lock thing with cudarc 0.19.0"),
        ("error: failed to download from `https://x`\n\nTimeout", NetworkError, "Timeout"),
    ],
)
def test_what_cargo_refuses(tmp_path, asked, fails, error, message):
    asked.fails = fails
    with pytest.raises(error, match=message):
        relock(tmp_path, {"cudarc": "0.19.0"})


@pytest.mark.parametrize(
    ("archive", "crates", "message"),
    [
        (CRATE, {"other": "1"}, r"the Cargo\.lock of thing 1\.2\.0 has no other"),
        (packed(**{"thing-1.2.0/Cargo.toml": ""}), {}, r"thing 1\.2\.0 has no Cargo\.lock"),
        (packed(**{"thing-1.2.0/../../x": ""}), {}, "has a file out of its folder"),
        (packed(**{"else/x": ""}), {}, "has a file out of its folder"),
    ],
    ids=["no such crate", "no lock", "above its folder", "beside its folder"],
)
def test_what_cannot_be_locked(tmp_path, asked, archive, crates, message):
    with pytest.raises(LockError, match=message):
        relock(tmp_path, crates, archive=archive)
    assert asked.asked == []


def test_without_cargo(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="cargo is not installed: it makes"):
        relock(tmp_path, {"cudarc": "0.19.0"})


class Web:
    """A registry that has one file."""

    def __init__(self, dl):
        self.dl = dl
        self.asked: list[str] = []

    def get(self, url):
        self.asked.append(url)
        return SimpleNamespace(content=CRATE, json=lambda: {"dl": self.dl})


@pytest.mark.parametrize(
    ("dl", "url"),
    [
        ("https://x/crates", "https://x/crates/thing/1.2.0/download"),
        ("https://x/{prefix}/{crate}-{version}.crate", "https://x/th/in/thing-1.2.0.crate"),
    ],
)
def test_the_archive_of_a_release(dl, url):
    web: Any = Web(dl)
    mirrors = project.find(project.BUILTIN).read_settings().mirrors
    sources = Sources(mirrors=mirrors, web=web, registries=None)  # type: ignore[arg-type]
    pin = structs.replace(PIN, sha256=hashlib.sha256(CRATE).hexdigest())
    assert sources.archive("thing", pin) == CRATE
    assert web.asked == ["https://index.crates.io/config.json", url]
    with pytest.raises(NetworkError, match=r"is not the thing 1\.2\.0 that is pinned"):
        sources.archive("thing", PIN)


def test_the_lock_that_is_shipped_is_the_one_that_its_service_wants():
    found = project.find(project.BUILTIN)
    pinned = {"moshi-server": structs.asdict(found.read_pins().crate("moshi-server"))}
    nobody: Any = None
    assert cargo.locks(found.read_services(()), pinned, nobody, found.root) == {}
