"""What of an image's file system is wrong, by what a script in it has listed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from baker.dockerfile.requirements import Requirements
from baker.verify import filesystem

SITE = "/opt/venv/lib/python3.13/site-packages"
PLAIN = Requirements(
    binary="hello",
    imports=(),
    embeds_python=False,
    packages=(),
    budget=0,
    builder=False,
    unresolved=(),
    duplicates=(),
    port=0,
    health=False,
    labels=(),
)


@pytest.mark.parametrize("path", ["/usr/bin/cc", "/opt/x/x86_64-linux-gnu-g++-14", "/a/clang-19", "/a/nvcc", "/a/pip3"])
def test_a_compiler(path):
    found = filesystem.compilers([path], PLAIN)
    assert (found.passed, found.detail) == (False, path)


@pytest.mark.parametrize(
    ("package", "paths"),
    [
        ("g++", ["/usr/bin/cc", "/usr/bin/x86_64-linux-gnu-g++-14", "/usr/libexec/gcc/cc1plus", "/usr/bin/gcc-14"]),
        ("gcc", ["/usr/bin/gcc", "/usr/libexec/gcc/cc1"]),
        ("clang", ["/usr/bin/clang-19", "/usr/bin/clang++"]),
    ],
)
def test_a_compiler_on_purpose(package, paths):
    asked = replace(PLAIN, packages=(package,))
    assert filesystem.compilers(paths, asked).passed
    assert not filesystem.compilers([*paths, "/usr/bin/rustc"], asked).passed
    assert filesystem.compilers([*paths, "/usr/bin/rustc"], replace(PLAIN, builder=True)).skipped


def test_the_drivers_libraries_come_from_the_host():
    for name in ("libcuda.so.1", "libnvidia-ml.so.1", "libnvidia-ptxjitcompiler.so.1"):
        assert filesystem.resolved(["/a"], [("/a", name)], [], PLAIN).passed
    for name in ("libcudart.so.12", "libcuda.so.2", "libnvidia-ml.so.10"):
        assert filesystem.resolved(["/a"], [("/a", name)], [], PLAIN).detail == f"/a needs {name}"


def test_a_module_may_count_on_a_library_of_its_environment():
    module, library = f"{SITE}/torchaudio/lib/_ext.so", f"{SITE}/torch/lib/libtorch.so"
    assert filesystem.resolved([module, library], [(module, "libtorch.so")], [], PLAIN).passed
    assert not filesystem.resolved([module], [(module, "libtorch.so")], [], PLAIN).passed
    elsewhere = library.replace("/opt/venv", "/srv/venv")
    assert not filesystem.resolved([module, elsewhere], [(module, "libtorch.so")], [], PLAIN).passed
    program = "/opt/baker/bin/hello"
    assert not filesystem.resolved([program, library], [(program, "libtorch.so")], [], PLAIN).passed


def test_what_service_toml_lets_pass():
    lenient = replace(PLAIN, unresolved=("*/plugins/*",), duplicates=("*/a.h",))
    assert filesystem.resolved(["/x"], [("/plugins/x.so", "libfabric.so.1")], [], lenient).passed
    assert not filesystem.resolved(["/x"], [("/x.so", "libfabric.so.1")], [], lenient).passed
    assert filesystem.duplicates(["/x/a.h", "/y/a.h"], lenient).passed
    assert filesystem.duplicates(["/x/a.h", "/y/b.h"], lenient).detail == "/y/b.h"


def test_what_does_not_load_at_all():
    assert filesystem.resolved(["/x"], [], ["/x: file too short"], PLAIN).detail == "/x: file too short"


def test_a_long_list_is_cut():
    found = filesystem.duplicates([f"/{number}" for number in range(10)], PLAIN)
    assert found.detail.endswith("/7 and 2 more")


def test_paths_with_tabs():
    said = [
        "setuid\t/a\tb",
        "twice\tffff\t/x\ty",
        "needs\t/l\tm.so\tlibx.so.1",
        "unloadable\t/d\te\tbroken",
        "a warning",
    ]
    found = filesystem.listed([*said, "a warning"])
    assert found["setuid"] == [("/a\tb", "")]
    assert found["twice"] == [("/x\ty", "")]
    assert found["needs"] == [("/l\tm.so", "libx.so.1")]
    assert found["unloadable"] == [("/d\te", "broken")]
