"""Where the newest version of each outside thing is looked up."""

from __future__ import annotations

import json

import pytest

from baker.errors import LockError
from baker.lock import sources


def test_the_newest_release_is_no_yanked_one_and_no_prerelease():
    entries = [
        {"vers": "0.9.0", "cksum": "a", "yanked": False},
        {"vers": "0.10.0", "cksum": "b", "yanked": False},
        {"vers": "0.11.0", "cksum": "c", "yanked": True},
        {"vers": "1.0.0-rc1", "cksum": "d", "yanked": False},
    ]
    assert sources.latest("\n".join(json.dumps(entry) for entry in entries), "x").version == "0.10.0"


RELEASES = "\n".join(
    json.dumps({"vers": vers, "cksum": vers, "yanked": False} | ({"rust_version": rust} if rust else {}))
    for vers, rust in [("0.9.0", ""), ("1.0.0", "1.82"), ("1.1.0", "1.85.1"), ("2.0.0", "1.96")]
)


@pytest.mark.parametrize(
    ("rust", "version"),
    [("", "2.0.0"), ("1.97", "2.0.0"), ("1.96.1", "2.0.0"), ("1.85", "1.0.0"), ("1.85.1", "1.1.0"), ("1.60", "0.9.0")],
)
def test_the_newest_release_that_a_rust_compiles(rust, version):
    assert sources.latest(RELEASES, "x", rust=rust).version == version


def test_a_pin_says_which_rust_it_wants():
    found = [sources.latest(RELEASES, "x", rust=rust) for rust in ("1.60", "1.96")]
    assert [(pin.version, pin.sha256, pin.rust) for pin in found] == [
        ("0.9.0", "0.9.0", ""),
        ("2.0.0", "2.0.0", "1.96"),
    ]


def test_which_rust_a_crate_wants():
    entries = "\n".join(RELEASES.splitlines()[1:])
    with pytest.raises(LockError, match=r"compiles with Rust 1.63, .* wants Rust 1.82 at least"):
        sources.latest(entries, "x", rust="1.63")


def test_no_release():
    with pytest.raises(LockError, match="no release of the crate x"):
        sources.latest("", "x")


@pytest.mark.parametrize(
    ("name", "path"), [("a", "1/a"), ("ab", "2/ab"), ("abc", "3/a/abc"), ("Moshi-server", "mo/sh/moshi-server")]
)
def test_where_an_index_keeps_a_crate(name, path):
    assert sources.index_path(name) == path


def test_one_release_by_its_version():
    entries = "\n".join(
        json.dumps({"vers": version, "cksum": version * 2, "yanked": False, "rust_version": "1.70"})
        for version in ("1.0.0", "2.0.0-rc1", "3.0.0")
    )
    assert sources.latest(entries, "x", only="1.0.0").version == "1.0.0"
    assert sources.latest(entries, "x", only="2.0.0-rc1").version == "2.0.0-rc1"
    with pytest.raises(LockError, match=r"no release of the crate x 4\.0\.0"):
        sources.latest(entries, "x", only="4.0.0")


@pytest.mark.parametrize(
    ("name", "folders"), [("a", "1"), ("ab", "2"), ("Abc", "3/A"), ("Moshi-server", "Mo/sh"), ("moshi-server", "mo/sh")]
)
def test_the_folders_of_a_registry_have_the_names_own_letters(name, folders):
    assert sources.prefix(name) == folders
