"""On a machine with Docker 20.10, tests/docker brings up an engine of its own, which is gone afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import pytest

from tests import run
from tests.engines import running

TOP = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/docker/test_engine.py")
PATIENCE = 120


@pytest.fixture(scope="module")
def old():
    """An engine that lacks what tests need."""
    with running.running("bookworm") as engine:
        yield engine


@pytest.fixture
def begun(old):
    """A run of a test, which has a session of its own, as that of a terminal has."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("PYTEST_", "BAKER_TEST_"))}
    with subprocess.Popen(
        COMMAND,
        cwd=TOP,
        # Not this run's name: at its end it removes what bears its own, as this run's registry.
        env={**environment, **old.environment, run.VARIABLE: uuid.uuid4().hex[:8]},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        yield process


def engines() -> set[str]:
    """Return the folders of engines, in which their sockets are."""
    return {path.name for path in running.RUN.glob(f"{running.PREFIX}*")}


def caches() -> set[Path]:
    """Return what runs know of layers."""
    return set(Path(tempfile.gettempdir()).glob("baker-test-*-cache"))


def programs(folder: str) -> list[str]:
    """Return the command lines that name an engine's folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_text()
        except OSError:
            continue
        if folder in line:
            found.append(line)
    return found


def bridges() -> list[str]:
    """Return the bridges of the machine, as docker0; what else it has, other work may change meanwhile."""
    listed = subprocess.check_output(["ip", "-brief", "link", "show", "type", "bridge"], text=True)
    return [line.split()[0] for line in listed.splitlines()]


def test_the_tests_bring_up_an_engine(begun):
    before = engines(), bridges(), caches()
    said, _ = begun.communicate(timeout=PATIENCE)
    assert begun.returncode == 0, said
    assert "the engine here is Docker 20.10" in said
    assert "bringing up Docker 26.1" in said
    assert (engines(), bridges(), caches()) == before


@pytest.mark.parametrize(
    ("end", "number"),
    [(os.killpg, signal.SIGINT), (os.kill, signal.SIGTERM), (os.kill, signal.SIGKILL)],
    ids=["Ctrl-C", "SIGTERM", "SIGKILL"],
)
def test_it_ends_with_them(begun, end, number):
    before, already, known = bridges(), engines(), caches()
    give_up = time.monotonic() + PATIENCE
    while not (found := {name for name in engines() - already if (running.RUN / name / "docker.sock").exists()}):
        assert begun.poll() is None, begun.communicate()[0]
        assert time.monotonic() < give_up
        time.sleep(0.02)
    (folder,) = found
    end(begun.pid, number)
    said, _ = begun.communicate(timeout=PATIENCE)
    assert begun.returncode != 0, said
    while programs(folder):
        assert time.monotonic() < give_up, programs(folder)
        time.sleep(0.05)
    assert bridges() == before
    # Who is killed removes no files: the next engine does.
    assert (folder in engines()) == (number == signal.SIGKILL)
    left = caches() - known
    assert len(left) == (number == signal.SIGKILL)
    for path in left:
        shutil.rmtree(path)
