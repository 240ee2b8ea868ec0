"""Does a uv.lock fit its project, and is it the one that baker.lock names?"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from baker.config import project, uvlock
from baker.errors import LockError

PYPROJECT = '[project]\nname = "p"\nversion = "0"\ndependencies = ["numpy>=2"]\n[dependency-groups]\ncuda = ["b"]\n'
UV_LOCK = """
[[package]]
name = "p"
[package.metadata]
requires-dist = [{ name = "numpy", specifier = ">=2" }]
[package.metadata.requires-dev]
cuda = [{ name = "b" }]
"""


@pytest.fixture
def python(tmp_path):
    """A uv project and pins that fit it."""
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "uv.lock").write_text(UV_LOCK)
    found = project.find(tmp_path).read_pins()
    return folder, replace(found, projects={"p": uvlock.digest(folder / "uv.lock")})


def test_a_lock_that_fits(python):
    uvlock.check(*python)


def test_line_ends_do_not_count(python):
    folder, pinned = python
    lock_file = folder / "uv.lock"
    lock_file.write_bytes(lock_file.read_bytes().replace(b"\n", b"\r\n"))
    uvlock.check(folder, pinned)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("numpy>=2", "numpy>=3", "out of date.*asks for numpy>=3"),
        ('"numpy>=2"', '"numpy>=2", "torch"', "asks for torch"),
        ('cuda = ["b"]', "cuda = []", "no longer asks for b"),
    ],
)
def test_a_lock_that_is_out_of_date(python, old, new, message):
    folder, pinned = python
    (folder / "pyproject.toml").write_text(PYPROJECT.replace(old, new))
    with pytest.raises(LockError, match=message):
        uvlock.check(folder, pinned)


@pytest.mark.parametrize(
    ("content", "message"),
    [(UV_LOCK + "\n# touched", "not the one in baker.lock"), ("[[package", "is broken"), (None, "is missing")],
)
def test_a_lock_that_was_tampered_with(python, content, message):
    folder, pinned = python
    if content is None:
        (folder / "uv.lock").unlink()
    else:
        (folder / "uv.lock").write_text(content)
    with pytest.raises(LockError, match=message):
        uvlock.check(folder, pinned)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_package_from_git(python, end):
    folder, _ = python
    assert not uvlock.from_git(folder)
    source = 'source = { git = "https://github.com/kyutai-labs/moshi?rev=0123abc#0123abc" }'
    text = f'{UV_LOCK}\n[[package]]\nname = "moshi"\nversion = "1"\n{source}\n'
    (folder / "uv.lock").write_bytes(text.replace("\n", end).encode())
    assert uvlock.from_git(folder)
