"""Locks, secrets and bases: what a build takes from outside."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from baker import bases, locks, project, secrets, sources
from baker.errors import LockError, UsageError

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
    found = project.find(tmp_path).pins()
    return folder, replace(found, projects={"p": locks.digest(folder / "uv.lock")})


def test_a_lock_that_fits(python):
    locks.check(*python)


def test_line_ends_do_not_count(python):
    folder, pinned = python
    lock_file = folder / "uv.lock"
    lock_file.write_bytes(lock_file.read_bytes().replace(b"\n", b"\r\n"))
    locks.check(folder, pinned)


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
        locks.check(folder, pinned)


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
        locks.check(folder, pinned)


def test_the_newest_release_is_no_yanked_one_and_no_prerelease():
    entries = [
        {"vers": "0.9.0", "cksum": "a", "yanked": False},
        {"vers": "0.10.0", "cksum": "b", "yanked": False},
        {"vers": "0.11.0", "cksum": "c", "yanked": True},
        {"vers": "1.0.0-rc1", "cksum": "d", "yanked": False},
    ]
    assert sources.latest("\n".join(json.dumps(entry) for entry in entries), "x") == ("0.10.0", "b")


def test_no_release():
    with pytest.raises(LockError, match="no release of the crate x"):
        sources.latest("", "x")


@pytest.mark.parametrize(
    ("name", "path"), [("a", "1/a"), ("ab", "2/ab"), ("abc", "3/a/abc"), ("Moshi-server", "mo/sh/moshi-server")]
)
def test_where_an_index_keeps_a_crate(name, path):
    assert sources.index_path(name) == path


@pytest.fixture
def host(tmp_path):
    """A host's file system with a private authority."""
    added, bundle = (tmp_path / path for path in secrets.PRIVATE[0])
    added.mkdir(parents=True)
    (added / "company.crt").write_text("x")
    bundle.parent.mkdir(parents=True)
    bundle.write_text("x")
    return tmp_path


def settings_with(**changes):
    return replace(project.find(Path("/")).settings(), **changes)


def test_a_hosts_private_authority_is_handed_in(host):
    assert secrets.collect(settings_with(), {}, host) == (("ca", host / secrets.PRIVATE[0][1]),)


def test_public_authorities_are_not(tmp_path):
    assert secrets.collect(settings_with(), {}, tmp_path) == ()


def test_a_bundle_that_the_environment_names_comes_first(host, tmp_path):
    named = tmp_path / "named.pem"
    named.write_text("x")
    assert secrets.collect(settings_with(), {"SSL_CERT_FILE": str(named)}, host) == (("ca", named),)


def test_none_means_none(host):
    assert secrets.collect(settings_with(ca="none"), {"SSL_CERT_FILE": "/etc/hosts"}, host) == ()


@pytest.mark.parametrize("key", ["ca", "netrc"])
def test_a_file_that_is_not_there(key):
    with pytest.raises(UsageError, match=f"{key}: there is no file /no/such"):
        secrets.collect(settings_with(**{key: "/no/such"}), {})


@pytest.mark.parametrize(
    ("wanted", "trouble", "base", "why"),
    [
        ("auto", "", "nvidia", "registry-1.docker.io answers"),
        ("auto", "timed out", "debian", "registry-1.docker.io cannot be reached (timed out)"),
        ("nvidia", "timed out", "nvidia", "as asked"),
        ("debian", "", "debian", "as asked"),
    ],
)
def test_which_base(wanted, trouble, base, why):
    found, said = bases.choose(wanted, "", lambda _: trouble)
    assert found == base
    assert why in said


def test_a_mirror_is_asked_instead():
    assert bases.choose("auto", "mirror.example.com/hub", str)[1].count("mirror.example.com") == 2


def test_another_recipe_is_another_root():
    mirrors = settings_with().mirrors
    pin = replace(project.find(Path("/")).pins().debian, snapshot="")
    first, second = bases.root(pin, mirrors), bases.root(pin, replace(mirrors, debian="http://mirror/debian"))
    later = bases.root(replace(pin, snapshot="20261123T020933Z"), mirrors)
    assert len({first.reference, second.reference, later.reference}) == 3
    assert first == bases.root(pin, mirrors)
    assert first.argv == later.argv


def test_a_snapshot_mirror_gives_the_packages_of_its_time():
    snapshot = "https://snapshot.example.org/archive/debian/{snapshot}/"
    mirrors = replace(settings_with().mirrors, debian=snapshot)
    pin = replace(project.find(Path("/")).pins().debian, snapshot="20261123T020933Z")
    argv = bases.root(pin, mirrors).argv
    assert any("https://snapshot.example.org/archive/debian/20261123T020933Z/ trixie main" in word for word in argv)
    assert "--aptopt=Acquire::Check-Valid-Until false" in argv
    with pytest.raises(LockError, match="snapshot"):
        bases.root(replace(pin, snapshot=""), mirrors)
