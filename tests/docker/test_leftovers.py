"""Tests that are ended from outside leave nothing in the engine, and no program."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
import uuid
import warnings
from pathlib import Path

import pytest

from tests import leftovers, run

TOP = Path(__file__).parents[2]
# A registry and a second engine, each a container of an image that is made for it.
TESTS = ("tests/docker/test_registry.py", "tests/docker/test_cache_prune.py")
PATIENCE = 300


def left(engine, mark: str) -> list[str]:
    """Return the containers and images of a run of the tests."""
    containers = [
        str((item["Names"], item["Image"])) for item in engine.api.containers(all=True) if mark in str(item["Image"])
    ]
    return containers + [tag for item in leftovers.images(engine) for tag in item["RepoTags"] or () if mark in tag]


@pytest.mark.parametrize(
    ("end", "workers", "moment"),
    [
        pytest.param(lambda pid: os.kill(pid, signal.SIGINT), "0", "image", id="SIGINT"),
        pytest.param(
            lambda pid: os.kill(pid, signal.SIGTERM), "0", "container", id="SIGTERM", marks=pytest.mark.nightly
        ),
        pytest.param(
            lambda pid: os.kill(pid, signal.SIGTERM), "2", "image", id="SIGTERM with workers", marks=pytest.mark.nightly
        ),
        # A terminal tells the workers and all that they have started too.
        pytest.param(lambda pid: os.killpg(pid, signal.SIGINT), "2", "container", id="Ctrl-C with workers"),
    ],
)
def test_an_ended_run_leaves_nothing(engine, end, workers, moment):
    mark = uuid.uuid4().hex[:8]
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("PYTEST_", "BAKER_TEST_"))}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", workers, *TESTS]
    with subprocess.Popen(
        command,
        cwd=TOP,
        env={**environment, run.VARIABLE: mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        give_up = time.monotonic() + PATIENCE
        while not any((item[0] == "(") == (moment == "container") for item in left(engine, mark)):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < give_up
            time.sleep(0.05)
        end(process.pid)
        said, _ = process.communicate(timeout=PATIENCE)
    # Mostly pytest.ExitCode.INTERRUPTED; pytest trips over itself when it is ended between two of its own steps.
    assert process.returncode, said
    assert "KeyboardInterrupt" in said
    assert left(engine, mark) == []
    assert programs(mark) == []


def programs(mark: str) -> list[str]:
    """Return the command lines of programs that a run has started and that still run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{run.VARIABLE}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_text())
        except OSError:
            continue
    return found


def test_what_has_no_name_is_known_by_its_label(engine, debian_root):
    """And what belongs to another run stays."""
    prefix, label = f"baker-test-{uuid.uuid4().hex[:8]}-", uuid.uuid4().hex[:8]
    volume = engine.volumes.create(labels={next(iter(run.LABELS)): label})
    other = engine.volumes.create(labels={next(iter(run.LABELS)): f"{label}0"})
    container = engine.containers.create(debian_root, ["true"], name=f"{prefix}held")
    engine.images.get(debian_root).tag(f"{prefix}image", "1")
    try:
        removed = leftovers.remove(engine, prefix, label)
        assert {line.split()[0] for line in removed} == {"volume", "container", "image"}
        assert len(removed) == 3
        assert {item.name for item in engine.volumes.list()} & {volume.name, other.name} == {other.name}
        assert container.id not in {item.id for item in engine.containers.list(all=True, ignore_removed=True)}
        assert engine.images.get(debian_root)
    finally:
        other.remove()


def test_without_an_engine_nothing_is_left_and_nothing_said(monkeypatch):
    """Where there is no Docker, `make check` ends as it should."""
    said: list[object] = []
    monkeypatch.setattr(leftovers, "end_processes", lambda: None)
    monkeypatch.setattr(sys, "unraisablehook", said.append)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert leftovers.sweep() == []
        gc.collect()
    assert said == []
