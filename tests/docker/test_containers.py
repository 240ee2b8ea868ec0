"""Containers that baker starts for a moment are gone afterwards, however that moment ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from baker.engine import containers
from baker.errors import CommandError, EngineError
from tests import run
from tests.docker.here import ENGINE

RUN = """
import os
import sys
from baker.engine import containers
from baker.engine.client import Docker
engine = Docker(os.environ)
assert engine.describe()
print("ready", flush=True)
containers.run_once(engine, sys.argv[1], ["sleep", "60"], environment={"MARK": sys.argv[2]})
"""


@pytest.fixture
def left(engine):
    """Count the containers of this test that are there, running or not."""

    def count(mark):
        found = engine.api.containers(all=True, filters={"label": containers.MOMENTARY})
        return [item for item in found if mark in str(engine.api.inspect_container(item["Id"])["Config"]["Env"])]

    return count


@pytest.mark.parametrize("milliseconds", [0, 20, 60, 120, 250, 500, 1000])
def test_ctrl_c_leaves_no_container(debian_root, left, milliseconds):
    """Whether it comes before, while or after the engine makes it."""
    mark = run.name(str(milliseconds))
    argv = [sys.executable, "-c", RUN, debian_root, mark]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        time.sleep(milliseconds / 1000)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in said
    assert left(mark) == []


def test_a_failure_leaves_no_container(debian_root, left):
    with pytest.raises(CommandError, match="exit code 3"):
        containers.run_once(ENGINE, debian_root, ["sh", "-c", "exit 3"], environment={"MARK": "failure"})
    with pytest.raises(EngineError, match="no-such-program"):
        containers.run_once(ENGINE, debian_root, ["no-such-program"], environment={"MARK": "failure"})
    assert left("failure") == []


def test_a_volume_goes_with_its_container(debian_root, engine):
    with ENGINE.container(debian_root, ["true"], volume=("/v", bytes(1024))) as made:
        made.reload()
        name = made.attrs["Mounts"][0]["Name"]
        assert engine.volumes.get(name)
    assert name not in {volume.name for volume in engine.volumes.list()}


def test_a_container_that_ends_does_not_hold_a_tag(debian_root, engine):
    """As one that a killed baker left: its image's name can still be taken away."""
    name = run.name("held:1")
    ENGINE.tag(debian_root, name)
    held = engine.containers.create(name, ["true"])
    try:
        ENGINE.untag(name)
        assert ENGINE.image(name) is None
    finally:
        held.remove(force=True)
