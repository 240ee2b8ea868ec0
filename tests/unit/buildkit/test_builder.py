"""Builders: what drives one, and what it is new enough for."""

from __future__ import annotations

import pytest

from baker.buildkit import builder
from baker.config.platforms import AMD64, ARM64
from baker.errors import EngineError
from tests.unit.fakes import HERE, FakeEngine


def inspected(driver, **engine):
    fake = FakeEngine(info=HERE | engine, commands={"buildx inspect": f"Name: some\nDriver: {driver}\n"})
    return builder.inspect(fake, "some"), fake


@pytest.mark.parametrize(
    ("driver", "engine", "says"),
    [
        ("docker", {}, ""),
        ("docker", {"containerd_store": False}, "containerd-snapshotter"),
        ("docker", {"version": "25.0.3"}, "Docker 26 or BuildKit 0.13"),
        ("docker", {"version": "20.10.24", "containerd_store": False}, "Docker 26 or BuildKit 0.13"),
        ("docker-container\nBuildKit version: v0.13.1", {"version": "20.10.24", "containerd_store": False}, ""),
        ("docker-container\nBuildKit version: v0.12.5", {}, "Docker 26 or BuildKit 0.13"),
    ],
)
def test_what_can_write_oci_images(driver, engine, says):
    found, fake = inspected(driver, **engine)
    if not says:
        builder.require_oci((found,), fake.describe(), "--reproducible")
        return
    with pytest.raises(EngineError, match=says):
        builder.require_oci((found,), fake.describe(), "--reproducible")


@pytest.mark.parametrize(
    ("driver", "version", "knows"),
    [("docker", "23.0.1", True), ("docker", "20.10.24", False), ("remote\nBuildKit: v0.10.0", "20.10.24", True)],
)
def test_who_knows_copy_link(driver, version, knows):
    assert inspected(driver, version=version)[0].knows_link == knows


def test_a_builder_that_is_not_there():
    with pytest.raises(EngineError, match="docker buildx ls"):
        builder.inspect(FakeEngine(commands={}), "none")


@pytest.mark.parametrize(
    ("said", "machine", "native", "emulated"),
    [
        ("Platforms: linux/amd64, linux/amd64/v2, linux/386", "x86_64", ("linux/amd64",), False),
        ("Platforms: linux/amd64*, linux/arm64", "x86_64", ("linux/amd64",), True),
        ("Platforms: linux/arm64", "aarch64", ("linux/arm64",), True),
        ("", "aarch64", ("linux/arm64",), True),
        (
            "Platforms: linux/amd64\nPlatforms: linux/arm64, linux/arm/v7",
            "x86_64",
            ("linux/amd64", "linux/arm64"),
            True,
        ),
    ],
    ids=["amd64", "with qemu", "arm64", "an engine that does not say it", "a node of each"],
)
def test_what_a_builder_runs(said, machine, native, emulated):
    found, _ = inspected(f"docker\n{said}", machine=machine)
    assert found.native == native
    if emulated:
        builder.require_platform((found,), ARM64)
        return
    with pytest.raises(EngineError, match=r"can run nothing of linux/arm64: .*apt-get install qemu-user-static"):
        builder.require_platform((found,), ARM64)


def test_where_a_builder_compiles():
    one, _ = inspected("docker\nPlatforms: linux/amd64, linux/arm64")
    both, _ = inspected("docker-container\nPlatforms: linux/amd64\nPlatforms: linux/arm64")
    assert [one.compiles_on(each) for each in (AMD64, ARM64)] == [AMD64, AMD64]
    assert [both.compiles_on(each) for each in (AMD64, ARM64)] == [AMD64, ARM64]
