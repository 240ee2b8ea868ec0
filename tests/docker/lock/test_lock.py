"""`baker lock`, with a stand-in server for every source."""

from __future__ import annotations

import json
import lzma
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from baker.config import uvlock
from baker.config.platforms import AMD64, ARM64
from baker.errors import LockError, NetworkError, UsageError
from baker.lock import uv
from baker.lock.sources import Sources
from baker.system.http import Http
from tests.docker.lock.project import PYPROJECT, UV_LOCK, lock
from tests.docker.pin_sources import DIGEST, MIRRORS, PACKAGES, RELEASE, sha
from tests.docker.project import Project, failure
from tests.docker.publishing import anonymous


def newer_torch(folder, upgrade):
    assert upgrade == ["torch"]
    Path(folder, "uv.lock").write_text(UV_LOCK.format("2.9.2"))


def test_a_new_project_gets_every_pin(speech):
    lock(speech, (), write=True)
    pins = speech.read_pins()
    assert pins.crates["thing"].version == "1.2.0"
    assert pins.uv.version == "0.10.1"
    assert [pins.uv.sha256_amd64, pins.uv.sha256_arm64] == [sha("0.10.1" + each.wheel) for each in (AMD64, ARM64)]
    assert (pins.rust.toolchain, pins.rust.rustup) == ("1.90.0", "1.30.0")
    assert [pins.rust.rustup_sha256(each) for each in (AMD64, ARM64)] == ["d" * 64, "e" * 64]
    assert pins.nvidia.devel == f"nvidia/cuda:12.8.1-devel-ubuntu24.04@{DIGEST}"
    assert (pins.debian.snapshot, pins.debian.cuda, pins.debian.rust) == ("20261123T020933Z", "12.4", "1.85")
    assert pins.python.managed == "3.13.18"
    assert pins.projects == {"hello/p": uvlock.digest(speech.root / "services/hello/p/uv.lock")}


def test_a_second_time_changes_nothing_and_asks_nobody(speech, server):
    lock(speech, (), write=True)
    before = speech.lock.read_bytes()
    server.content.clear()
    found = lock(speech, (), write=True)
    assert (found.lines, found.notes) == ([], [])
    assert speech.lock.read_bytes() == before


def test_a_lock_of_an_earlier_release_gets_the_sums_of_each_platform(speech):
    lock(speech, (), write=True)
    whole = speech.lock.read_text()
    old = [line for line in whole.splitlines() if "sha256-arm64" not in line]
    speech.lock.write_text("\n".join(line.replace("sha256-amd64", "sha256") for line in old) + "\n")
    with pytest.raises(LockError, match="unknown key"):
        speech.read_pins()
    lock(speech, (), write=True)
    assert speech.read_pins().uv.sha256_arm64 == sha("0.10.1" + ARM64.wheel)


def test_platforms_with_different_releases_of_a_compiler(speech, server):
    path = "/debian/dists/trixie/main/binary-arm64/Packages.xz"
    server.content[path] = lzma.compress(PACKAGES.format("rustc", "1.84.0+x").encode())
    with pytest.raises(LockError, match=r"rustc 1\.85 for linux/amd64, 1\.84 for linux/arm64"):
        lock(speech, (), write=True)


def test_check_writes_nothing(speech):
    assert lock(speech, (), write=False).lines
    assert not speech.lock.exists()


@pytest.mark.parametrize(
    ("name", "path", "content", "line"),
    [
        (
            "thing",
            "/index/th/in/thing",
            json.dumps({"vers": "1.10.0", "cksum": "dd" * 32, "yanked": False}),
            "crate thing 1.2.0 → 1.10.0",
        ),
        (
            "rust",
            "/rust/dist/channel-rust-stable.toml",
            '[pkg.rust]\nversion = "1.91.0 (x)"',
            "rust toolchain 1.90.0 → 1.91.0",
        ),
        (
            "debian",
            "/debian/dists/trixie/InRelease",
            RELEASE.format("Tue, 24 Nov 2026 00:00:00 UTC"),
            "debian snapshot 20261123T020933Z → 20261124T000000Z",
        ),
    ],
)
def test_an_upgrade_is_told_in_a_line(speech, server, name, path, content, line):
    lock(speech, (), write=True)
    server.content[path] = content
    assert lock(speech, (), write=True).lines == []
    assert lock(speech, (name,), write=True).lines == [line]
    assert lock(speech, (name,), write=False).lines == []


def test_a_python_package(speech, monkeypatch):
    lock(speech, (), write=True)
    monkeypatch.setattr(uv, "relock", newer_torch)
    found = lock(speech, ("torch",), write=True)
    assert found.lines[-1] == "hello/p/uv.lock: torch 2.9.1 → 2.9.2"
    assert speech.read_pins().projects == {"hello/p": uvlock.digest(speech.root / "services/hello/p/uv.lock")}
    assert "2.9.2" in (speech.root / "services/hello/p/uv.lock").read_text()


@pytest.mark.parametrize("trouble", [500, "garbage", "{}", b"\xff\xfe", None])
@pytest.mark.parametrize("name", ["thing", "uv", "rust", "nvidia", "debian"])
def test_a_source_that_is_silent_or_talks_nonsense_keeps_the_old_pin(speech, server, name, trouble):
    lock(speech, (), write=True)
    before = speech.lock.read_bytes()
    if trouble is None:
        server.shutdown()
        server.server_close()
    else:
        server.content = dict.fromkeys(server.content, trouble)
    found = lock(speech, (name,), write=True)
    assert found.lines == []
    assert len(found.notes) == 1
    assert "stays as it is: " in found.notes[0]
    assert found.missed == [name]
    assert speech.lock.read_bytes() == before


def test_what_has_no_pin_needs_its_source(speech, server):
    server.content["/simple/uv/"] = 503
    with pytest.raises(NetworkError, match=r"uv has no pin yet, and .* HTTP 503"):
        lock(speech, (), write=True)
    assert not speech.lock.exists()


def test_a_crate_that_does_not_exist(speech, server):
    del server.content["/index/th/in/thing"]
    with pytest.raises(LockError, match="not found; is the name right"):
        lock(speech, (), write=True)


def test_a_lock_without_a_solution_leaves_everything_as_it_was(speech, monkeypatch, server):
    lock(speech, (), write=True)
    before = speech.lock.read_bytes()

    def unsolvable(_folder, _upgrade):
        raise LockError("No solution found")

    monkeypatch.setattr(uv, "relock", unsolvable)
    server.content["/index/th/in/thing"] = json.dumps({"vers": "2.0.0", "cksum": "dd" * 32, "yanked": False})
    with pytest.raises(LockError, match=r"uv cannot lock .*\nNo solution found"):
        lock(speech, ("thing",), write=True)
    assert speech.lock.read_bytes() == before


def test_no_package_index_keeps_a_lock_that_fits(speech, monkeypatch):
    lock(speech, (), write=True)

    def unreachable(_folder, _upgrade):
        raise NetworkError("dns error")

    monkeypatch.setattr(uv, "relock", unreachable)
    found = lock(speech, ("torch",), write=True)
    assert "uv.lock stays as it is: dns error" in found.notes[0]
    assert found.missed == ["torch"]
    (speech.root / "services/hello/p/pyproject.toml").write_text(PYPROJECT.replace("[]", '["numpy"]'))
    with pytest.raises(LockError, match="asks for numpy"):
        lock(speech, (), write=True)


@pytest.mark.parametrize(("name", "hint"), [("tihng", "did you mean 'thing'"), ("qqqq", "there are debian, nvidia")])
def test_a_name_that_nothing_has(speech, name, hint):
    with pytest.raises(UsageError, match=hint):
        lock(speech, (name,), write=True)


def test_a_snapshot_mirror_has_no_newest_state(server):
    mirrors = replace(server.mirrors, debian="http://127.0.0.1/{snapshot}/")
    with Http() as web, pytest.raises(NetworkError, match=r"set .debian. snapshot by hand"):
        Sources(mirrors=mirrors, web=web, registries=anonymous()).debian("trixie")


def test_the_sources_as_they_really_are(speech, monkeypatch):
    """uv has its list of interpreters in itself, and locks a project without dependencies alone."""
    monkeypatch.undo()
    (speech.root / "services/hello/p/uv.lock").unlink()
    lock(speech, (), write=True)
    pins = speech.read_pins()
    assert pins.python.managed.startswith(pins.python.version + ".")
    assert uvlock.digest(speech.root / "services/hello/p/uv.lock") == pins.projects["hello/p"]
    uvlock.check(speech.root / "services/hello/p", pins)
    with Http() as web:
        real = Sources(mirrors=MIRRORS, web=web, registries=anonymous())
        assert real.crate("moshi-server")["version"] >= "0.6.4"


def test_projects_of_the_same_folder_name_are_refused(speech):
    """Their stages would have one name."""
    shutil.copytree(speech.root / "services" / "hello", speech.root / "services" / "other")
    with pytest.raises(UsageError, match="have the same folder name"):
        lock(speech, (), write=True)
    assert not speech.lock.exists()


def test_an_upgrade_that_was_not_looked_up_is_no_success(speech, server, monkeypatch):
    monkeypatch.undo()
    (speech.root / "services/hello/p/uv.lock").unlink()
    lock(speech, (), write=True)
    server.content = dict.fromkeys(server.content, 500)
    done = Project(speech.root).baker("lock", "--upgrade", "thing")
    assert "not upgraded, since its source did not answer: thing" in failure(done, 5)
    assert Project(speech.root).baker("lock").returncode == 0
