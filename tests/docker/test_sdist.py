"""own-crate with the sdist of a Python package: its address in a lock, or an index whose page names it."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import tarfile
from functools import partial

import pytest

from baker.dockerfile.render import TEMPLATES
from tests.docker import crates

SCRIPTS = TEMPLATES / "scripts"
FILE = "sample-1.0.tar.gz"
LOCK = '[[package]]\nname = "sample"\nversion = "1.0.0"\n'
PAGE = '<a href="../../files/other-1.0.tar.gz">other</a>\n<a href="../../files/{}#sha256=0">{}</a>\n'


@pytest.fixture
def served(tmp_path, engine):
    """Serve an sdist below /files, the page of it below /simple, and an index of crates; return the address."""
    made = io.BytesIO()
    with gzip.GzipFile(fileobj=made, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        for name, text in {"Cargo.toml": "[package]\n", "Cargo.lock": LOCK, "pyproject.toml": ""}.items():
            entry = tarfile.TarInfo(f"sample-1.0/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    files = {
        f"files/{FILE}": made.getvalue(),
        "simple/sample/index.html": PAGE.format(FILE, FILE).encode(),
        "simple/older/index.html": b'<a href="older-0.9.tar.gz">older-0.9.tar.gz</a>',
        "config.json": b'{"dl": "http://127.0.0.1:9/"}',
    }
    for name, content in files.items():
        (tmp_path / "www" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "www" / name).write_bytes(content)
    with crates.served(engine, partial(crates.Quiet, directory=str(tmp_path / "www"))) as url:
        yield url, hashlib.sha256(made.getvalue()).hexdigest()


def fetch(tmp_path, address, url, sha256, name="sample"):
    (tmp_path / "cache").mkdir()
    return subprocess.run(
        [
            "own-crate",
            *(name, "1.0", "", str(tmp_path / "crate"), str(tmp_path / "archives"), str(tmp_path / "cache")),
            *("sdist", url, sha256),
        ],
        env={
            **os.environ,
            "PATH": f"{SCRIPTS}:{os.environ['PATH']}",
            "CRATES_INDEX": address,
            "CARGO_NET_RETRY": "0",
            "TMPDIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("url", [f"files/{FILE}", "simple/"], ids=["address", "index"])
def test_it_is_unpacked_with_its_lock(served, tmp_path, url):
    address, sha256 = served
    done = fetch(tmp_path, address, f"{address}/{url}", sha256)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "crate/sample-1.0/Cargo.lock").read_text() == LOCK
    assert (tmp_path / "crate/sample-1.0/pyproject.toml").exists()


def test_another_sdist_than_the_locks_is_refused(served, tmp_path):
    address, _ = served
    done = fetch(tmp_path, address, f"{address}/simple/", "0" * 64)
    assert done.returncode != 0
    assert "the lock says 0000" in done.stderr
    assert not (tmp_path / "crate").exists()


def test_an_index_that_does_not_have_it(served, tmp_path):
    address, sha256 = served
    done = fetch(tmp_path, address, f"{address}/simple/", sha256, name="older")
    assert done.returncode != 0
    assert f"own-crate: {address}/simple/older/ names no older-1.0.tar.gz" in done.stderr
