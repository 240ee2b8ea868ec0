"""`baker lock`, with a stand-in server for every source."""

from __future__ import annotations

import http.server
import json
import lzma
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from baker import lock, locks, project, sources
from baker.errors import LockError, NetworkError, UsageError

MIRRORS = project.find(Path("/")).settings().mirrors
RELEASE = "Origin: Debian\nSuite: stable\nDate: {}\nArchitectures: amd64\n"
PACKAGES = "Package: {0}-doc\nVersion: 9.9-1\n\nPackage: {0}\nArchitecture: amd64\nVersion: 1:{1}\nDepends: a\n\n"
DIGEST = "sha256:" + "ab" * 32
PYPROJECT = '[project]\nname = "p"\nversion = "0"\ndependencies = []\n'
UV_LOCK = '[[package]]\nname = "p"\nversion = "0"\n[package.metadata]\n[[package]]\nname = "torch"\nversion = "{}"\n'
GOOD: dict[str, str | bytes | int] = {
    "/index/th/in/thing": json.dumps({"vers": "1.2.0", "cksum": "cc", "yanked": False}),
    "/simple/uv/": json.dumps(
        {
            "files": [
                {"filename": f"uv-{version}-py3-none-{platform}", "hashes": {"sha256": version}}
                for version in ("0.9.9", "0.10.1", "0.11.0rc1")
                for platform in (sources.WHEEL_PLATFORM, "win_amd64.whl")
            ]
        }
    ),
    "/rust/dist/channel-rust-stable.toml": '[pkg.rust]\nversion = "1.90.0 (1159e78c4 2025-09-14)"\n',
    "/rust/rustup/release-stable.toml": "schema-version = '1'\nversion = '1.30.0'\n",
    "/rust/rustup/archive/1.30.0/x86_64-unknown-linux-gnu/rustup-init.sha256": f"{'d' * 64} *rustup-init\n",
    "/debian/dists/trixie/InRelease": RELEASE.format("Sat, 21 Nov 2026 09:15:44 UTC"),
    "/debian/dists/trixie-updates/InRelease": RELEASE.format("Sun, 22 Nov 2026 19:58:57 UTC"),
    "/security/dists/trixie-security/InRelease": RELEASE.format("Mon, 23 Nov 2026 02:09:33 UTC"),
    "/debian/dists/trixie/main/binary-amd64/Packages.xz": lzma.compress(PACKAGES.format("rustc", "1.85.0+x").encode()),
    "/debian/dists/trixie/non-free/binary-amd64/Packages.xz": lzma.compress(
        PACKAGES.format("nvidia-cuda-toolkit", "12.4.131~12.4.1-8").encode()
    ),
    "/token?service=hub&scope=repository:hub/nvidia/cuda:pull": json.dumps({"token": "anonymous"}),
}


class Server(http.server.ThreadingHTTPServer):
    """Serves what `content` holds; a number there is the status of an error."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = dict(GOOD)

    @property
    def mirrors(self):
        at = f"http://127.0.0.1:{self.server_port}"
        return replace(
            MIRRORS,
            registry=f"127.0.0.1:{self.server_port}/hub",
            debian=f"{at}/debian",
            debian_security=f"{at}/security",
            crates=f"{at}/index/",
            pypi=f"{at}/simple/",
            rust=f"{at}/rust",
        )


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        found = self.server.content.get(self.path, 404)
        self.send_response(found if isinstance(found, int) else 200)
        body = b"" if isinstance(found, int) else found.encode() if isinstance(found, str) else found
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self):
        """A registry: it wants a token first."""
        known = self.headers.get("Authorization") == "Bearer anonymous"
        self.send_response(200 if known else 401)
        if known:
            self.send_header("Docker-Content-Digest", DIGEST)
        else:
            realm = f"http://127.0.0.1:{self.server.server_port}/token"
            self.send_header("WWW-Authenticate", f'Bearer realm="{realm}",service="hub"')
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture
def speech(tmp_path, server, monkeypatch):
    """A project with a crate and a Python project, all of whose sources are the stand-in."""
    mirrors = {key: getattr(server.mirrors, key) for key in ("registry", "debian", "crates", "pypi", "rust")}
    lines = [f'{key} = "{value}"' for key, value in mirrors.items()]
    lines.append(f'debian-security = "{server.mirrors.debian_security}"')
    (tmp_path / "baker.toml").write_text("\n".join(["[mirrors]", *lines]))
    folder = tmp_path / "services" / "hello"
    (folder / "p").mkdir(parents=True)
    (folder / "service.toml").write_text('[crate]\nname = "thing"\n[python]\nproject = "p"\n')
    (folder / "p" / "pyproject.toml").write_text(PYPROJECT)
    (folder / "p" / "uv.lock").write_text(UV_LOCK.format("2.9.1"))
    monkeypatch.setattr(sources, "python", lambda version: {"version": version, "managed": f"{version}.18"})
    monkeypatch.setattr(sources, "relock", lambda _folder, _upgrade: None)
    return project.find(tmp_path)


def newer_torch(folder, upgrade):
    assert upgrade == ["torch"]
    Path(folder, "uv.lock").write_text(UV_LOCK.format("2.9.2"))


def test_a_new_project_gets_every_pin(speech):
    lock.update(speech, (), write=True)
    pins = speech.pins()
    assert pins.crates["thing"].version == "1.2.0"
    assert (pins.uv.version, pins.uv.sha256) == ("0.10.1", "0.10.1")
    assert (pins.rust.toolchain, pins.rust.rustup, pins.rust.rustup_sha256) == ("1.90.0", "1.30.0", "d" * 64)
    assert pins.nvidia.devel == f"nvidia/cuda:12.8.1-devel-ubuntu24.04@{DIGEST}"
    assert (pins.debian.snapshot, pins.debian.cuda, pins.debian.rust) == ("20261123T020933Z", "12.4", "1.85")
    assert pins.python.managed == "3.13.18"
    assert pins.projects == {"p": locks.digest(speech.root / "services/hello/p/uv.lock")}


def test_a_second_time_changes_nothing_and_asks_nobody(speech, server):
    lock.update(speech, (), write=True)
    before = speech.lock.read_bytes()
    server.content.clear()
    found = lock.update(speech, (), write=True)
    assert (found.lines, found.notes) == ([], [])
    assert speech.lock.read_bytes() == before


def test_check_writes_nothing(speech):
    assert lock.update(speech, (), write=False).lines
    assert not speech.lock.exists()


@pytest.mark.parametrize(
    ("name", "path", "content", "line"),
    [
        (
            "thing",
            "/index/th/in/thing",
            json.dumps({"vers": "1.10.0", "cksum": "dd", "yanked": False}),
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
    lock.update(speech, (), write=True)
    server.content[path] = content
    assert lock.update(speech, (), write=True).lines == []
    assert lock.update(speech, (name,), write=True).lines == [line]
    assert lock.update(speech, (name,), write=False).lines == []


def test_a_crate_that_was_published_anew_under_its_version(speech, server):
    lock.update(speech, (), write=True)
    server.content["/index/th/in/thing"] = json.dumps({"vers": "1.2.0", "cksum": "ee", "yanked": False})
    assert lock.update(speech, ("thing",), write=True).lines == ["crate thing sha256 cc → ee"]


def test_a_python_package(speech, monkeypatch):
    lock.update(speech, (), write=True)
    monkeypatch.setattr(sources, "relock", newer_torch)
    found = lock.update(speech, ("torch",), write=True)
    assert found.lines[-1] == "p/uv.lock: torch 2.9.1 → 2.9.2"
    assert speech.pins().projects == {"p": locks.digest(speech.root / "services/hello/p/uv.lock")}
    assert "2.9.2" in (speech.root / "services/hello/p/uv.lock").read_text()


@pytest.mark.parametrize("trouble", [500, "garbage", "{}", b"\xff\xfe", None])
@pytest.mark.parametrize("name", ["thing", "uv", "rust", "nvidia", "debian"])
def test_a_source_that_is_silent_or_talks_nonsense_keeps_the_old_pin(speech, server, name, trouble):
    lock.update(speech, (), write=True)
    before = speech.lock.read_bytes()
    if trouble is None:
        server.shutdown()
        server.server_close()
    else:
        server.content = dict.fromkeys(server.content, trouble)
    found = lock.update(speech, (name,), write=True)
    assert found.lines == []
    assert len(found.notes) == 1
    assert "stays as it is: " in found.notes[0]
    assert speech.lock.read_bytes() == before


def test_what_has_no_pin_needs_its_source(speech, server):
    server.content["/simple/uv/"] = 503
    with pytest.raises(NetworkError, match=r"uv has no pin yet, and .* HTTP 503"):
        lock.update(speech, (), write=True)
    assert not speech.lock.exists()


def test_a_crate_that_does_not_exist(speech, server):
    del server.content["/index/th/in/thing"]
    with pytest.raises(LockError, match="not found; is the name right"):
        lock.update(speech, (), write=True)


def test_a_lock_without_a_solution_leaves_everything_as_it_was(speech, monkeypatch, server):
    lock.update(speech, (), write=True)
    before = speech.lock.read_bytes()

    def unsolvable(_folder, _upgrade):
        raise LockError("No solution found")

    monkeypatch.setattr(sources, "relock", unsolvable)
    server.content["/index/th/in/thing"] = json.dumps({"vers": "2.0.0", "cksum": "dd", "yanked": False})
    with pytest.raises(LockError, match=r"uv cannot lock .*\nNo solution found"):
        lock.update(speech, ("thing",), write=True)
    assert speech.lock.read_bytes() == before


def test_no_package_index_keeps_a_lock_that_fits(speech, monkeypatch):
    lock.update(speech, (), write=True)

    def unreachable(_folder, _upgrade):
        raise NetworkError("dns error")

    monkeypatch.setattr(sources, "relock", unreachable)
    assert "uv.lock stays as it is: dns error" in lock.update(speech, ("torch",), write=True).notes[0]
    (speech.root / "services/hello/p/pyproject.toml").write_text(PYPROJECT.replace("[]", '["numpy"]'))
    with pytest.raises(LockError, match="asks for numpy"):
        lock.update(speech, (), write=True)


@pytest.mark.parametrize(("name", "hint"), [("tihng", "did you mean 'thing'"), ("qqqq", "there are debian, nvidia")])
def test_a_name_that_nothing_has(speech, name, hint):
    with pytest.raises(UsageError, match=hint):
        lock.update(speech, (name,), write=True)


def test_a_snapshot_mirror_has_no_newest_state(server):
    mirrors = replace(server.mirrors, debian="http://127.0.0.1/{snapshot}/")
    with pytest.raises(NetworkError, match=r"set .debian. snapshot by hand"):
        sources.debian("trixie", mirrors)


def test_the_sources_as_they_really_are(speech, monkeypatch):
    """uv has its list of interpreters in itself, and locks a project without dependencies alone."""
    monkeypatch.undo()
    (speech.root / "services/hello/p/uv.lock").unlink()
    lock.update(speech, (), write=True)
    pins = speech.pins()
    assert pins.python.managed.startswith(pins.python.version + ".")
    assert locks.digest(speech.root / "services/hello/p/uv.lock") == pins.projects["p"]
    locks.check(speech.root / "services/hello/p", pins)
    assert sources.crate("moshi-server", MIRRORS)["version"] >= "0.6.4"
