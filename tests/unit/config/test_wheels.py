"""What a uv.lock installs on a platform, and whether there is a wheel of all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from baker.config import project, wheels
from baker.config.platforms import AMD64, ARM64
from baker.errors import UsageError

PACKAGE = '[[package]]\nname = "{}"\nversion = "{}"\nwheels = [{{ url = "https://x.y/{}.whl" }}]\n{}\n'
HERE = project.find(Path(__file__).parent)


def lock(folder, dependencies, *packages, groups=""):
    root = f'[[package]]\nname = "p"\nversion = "0"\nsource = {{ virtual = "." }}\ndependencies = [{dependencies}]\n'
    root += f"[package.dev-dependencies]\n{groups}\n"
    (folder / "uv.lock").write_text(root + "".join(PACKAGE.format(*package) for package in packages))
    return folder


def require(folder, platform=ARM64, groups=(), **options):
    lacks = wheels.missing(folder, groups, "3.13", platform, **{"whole": True, **options})
    wheels.require(lacks, folder, platform)


def test_a_package_with_wheels_of_another_platform_only(tmp_path):
    made = lock(tmp_path, '{ name = "a" }', ("a", "1", "a-1-cp313-cp313-manylinux_2_24_x86_64", ""))
    require(made, AMD64)
    with pytest.raises(UsageError, match=r"no wheel for linux/arm64 of a 1, and no image has a compiler"):
        require(made)


def test_what_a_marker_leaves_out_needs_none(tmp_path):
    marker = "marker = \"platform_machine == 'x86_64'\""
    require(lock(tmp_path, f'{{ name = "a", {marker} }}', ("a", "1", "a-1-cp313-cp313-linux_x86_64", "")))


def test_a_dependency_of_a_dependency(tmp_path):
    deep = 'dependencies = [{ name = "b" }]'
    packages = (("a", "1", "a-1-py3-none-any", deep), ("b", "2", "b-2-cp313-cp313-linux_x86_64", ""))
    with pytest.raises(UsageError, match="of b 2"):
        require(lock(tmp_path, '{ name = "a" }', *packages))


def test_only_the_groups_that_are_installed_count(tmp_path):
    made = lock(
        tmp_path,
        '{ name = "a" }',
        ("a", "1", "a-1-cp313-cp313-linux_x86_64", ""),
        ("c", "3", "c-3-py3-none-manylinux2014_aarch64", ""),
        groups='cuda = [{ name = "c" }]',
    )
    require(made, groups=["cuda"], whole=False)


def test_the_two_versions_of_a_package(tmp_path):
    packages = (("a", "1", "a-1-cp313-cp313-linux_x86_64", ""), ("a", "2", "a-2-cp313-cp313-linux_aarch64", ""))
    require(lock(tmp_path, '{ name = "a", version = "2" }', *packages))
    with pytest.raises(UsageError, match="of a 1"):
        require(lock(tmp_path, '{ name = "a", version = "1" }', *packages))


def test_moshi_servers_own_lock():
    folder = HERE.services_folder / "moshi-server"
    for platform in (AMD64, ARM64):
        require(folder, platform, ["cuda"], whole=False)
    require(folder, AMD64)
    # When sphn has a wheel for aarch64, nothing has to be compiled for it, and docs/arm64.md says otherwise.
    (sphn,) = wheels.missing(folder, [], "3.13", ARM64, whole=True)
    assert str(sphn) == f"sphn {sphn.version}"
    assert sphn.url.endswith(f"/sphn-{sphn.version}.tar.gz")
    assert len(sphn.sha256) == 64


def test_a_lock_without_an_sdist(tmp_path):
    made = lock(tmp_path, '{ name = "a" }', ("a", "1", "a-1-cp313-cp313-linux_x86_64", ""))
    assert wheels.missing(made, [], "3.13", ARM64, whole=True) == (wheels.Missing("a", "1", "", ""),)
