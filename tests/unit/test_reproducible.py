"""One time for everything in an image, and builders that can write it there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from baker import build, exporters, pins, reproducible, run
from baker.engine import Engine
from baker.errors import EngineError, LockError

HERE = Engine(id="x", version="26.1.5", containerd_store=True, root="/var/lib/docker", local=True)
PIN = pins.DebianPin(suite="trixie", cuda="12.4", rust="1.85", snapshot="20261123T020933Z")


def test_the_time_is_that_of_the_pins():
    assert reproducible.epoch(PIN) == 1795399773


def test_without_a_snapshot_there_is_no_time():
    with pytest.raises(LockError, match="snapshot"):
        reproducible.epoch(replace(PIN, snapshot=""))


@pytest.mark.parametrize(
    ("driver", "engine", "says"),
    [
        ("docker", HERE, ""),
        ("docker", replace(HERE, containerd_store=False), "containerd-snapshotter"),
        ("docker", replace(HERE, version="25.0.3"), "Docker 26 or BuildKit 0.13"),
        ("docker", replace(HERE, version="20.10.24", containerd_store=False), "Docker 26 or BuildKit 0.13"),
        ("docker-container\nBuildKit version: v0.13.1", replace(HERE, version="20.10.24", containerd_store=False), ""),
        ("docker-container\nBuildKit version: v0.12.5", HERE, "Docker 26 or BuildKit 0.13"),
    ],
)
def test_what_can_write_it(monkeypatch, driver, engine, says):
    monkeypatch.setattr(run, "capture", lambda _: f"Name: some\nDriver: {driver}\n")
    if not says:
        exporters.require(("some",), engine, "--reproducible")
        return
    with pytest.raises(EngineError, match=says):
        exporters.require(("some",), engine, "--reproducible")


def test_bake_is_told_the_time():
    argv = build.arguments(builder="", secrets=(), output="", tags={"stt": "x"}, epoch=5)
    assert "--set=*.args.SOURCE_DATE_EPOCH=5" in argv
