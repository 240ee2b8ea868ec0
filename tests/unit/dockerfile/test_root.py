"""The recipe of Debian's root."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from baker.config import project
from baker.config.platforms import AMD64, ARM64
from baker.dockerfile import root as root_recipe
from baker.errors import LockError


def test_another_recipe_is_another_root():
    mirrors = project.find(Path("/")).read_settings().mirrors
    pin = replace(project.find(Path("/")).read_pins().debian, snapshot="")
    first, second = (
        root_recipe.root(pin, mirrors, AMD64),
        root_recipe.root(pin, replace(mirrors, debian="http://mirror/debian"), AMD64),
    )
    later = root_recipe.root(replace(pin, snapshot="20261123T020933Z"), mirrors, AMD64)
    assert len({first.reference, second.reference, later.reference}) == 3
    assert first == root_recipe.root(pin, mirrors, AMD64)
    assert first.argv == later.argv


def test_a_root_of_each_platform_from_the_same_recipe():
    found = project.find(Path("/"))
    pin, mirrors = found.read_pins().debian, found.read_settings().mirrors
    first, second = (root_recipe.root(pin, mirrors, platform) for platform in (AMD64, ARM64))
    assert second.reference == f"{first.reference}-arm64"
    assert ("--architectures=amd64" in first.argv, "--architectures=arm64" in second.argv) == (True, True)


def test_a_snapshot_mirror_gives_the_packages_of_its_time():
    snapshot = "https://snapshot.example.org/archive/debian/{snapshot}/"
    mirrors = replace(project.find(Path("/")).read_settings().mirrors, debian=snapshot)
    pin = replace(project.find(Path("/")).read_pins().debian, snapshot="20261123T020933Z")
    argv = root_recipe.root(pin, mirrors, AMD64).argv
    assert any("https://snapshot.example.org/archive/debian/20261123T020933Z/ trixie main" in word for word in argv)
    assert "--aptopt=Acquire::Check-Valid-Until false" in argv
    with pytest.raises(LockError, match="snapshot"):
        root_recipe.root(replace(pin, snapshot=""), mirrors, AMD64)
