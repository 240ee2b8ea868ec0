"""What is exported and read while a binary compiles: when, and that nothing depends on it."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from baker.build import early
from baker.buildkit.progress import Export, Progress
from baker.errors import EngineError
from baker.verify import verifier

ENVIRONMENT, NAME = "environment-tts", "baker/environment-tts:baker-building-1"


def chosen(*, work=(ENVIRONMENT, "binary-x-cpu"), drivers=("docker",), epoch=None, stages=(ENVIRONMENT,)):
    prepared: Any = SimpleNamespace(
        plan=SimpleNamespace(early=stages, binaries=(SimpleNamespace(stage="binary-x-cpu"),)),
        request=SimpleNamespace(epoch=epoch),
    )
    machine: Any = SimpleNamespace(builders=tuple(SimpleNamespace(driver=driver) for driver in drivers))
    expected: Any = SimpleNamespace(work=tuple(SimpleNamespace(stage=name) for name in work))
    return early.targets(prepared, machine, expected)


def test_an_environment_is_exported_while_a_binary_compiles():
    assert chosen() == (ENVIRONMENT,)


@pytest.mark.parametrize(
    "given",
    [
        {"work": (ENVIRONMENT,)},
        {"work": ("binary-x-cpu",)},
        {"drivers": ("docker-container",)},
        {"drivers": ("docker", "docker")},
        {"epoch": 0},
        {"stages": ()},
    ],
    ids=["nothing compiles", "it is there", "another builder", "several", "another exporter", "none"],
)
def test_it_is_not_where_that_saves_no_time(given):
    assert chosen(**given) == ()


@pytest.fixture
def read(monkeypatch):
    found: list[str] = []
    monkeypatch.setattr(verifier, "read_ahead", lambda _engine, name: found.append(name))
    return found


def exported(*targets):
    progress = Progress()
    progress.exports = {target: Export(target=target, started=1, ended=2) for target in targets}
    return progress


def begun(engine: Any = None):
    return early.Early(engine, {ENVIRONMENT: NAME})


def test_it_is_read_once_and_when_it_is_there(read):
    found = begun()
    for progress in (exported(), exported("stt"), exported("stt", ENVIRONMENT), exported("stt", ENVIRONMENT)):
        found.watch(progress)
    found.wait()
    assert read == [NAME]


def test_the_build_goes_on_meanwhile_and_waits_at_its_end(monkeypatch):
    ready, done = threading.Event(), []
    monkeypatch.setattr(verifier, "read_ahead", lambda *_: done.append(ready.wait(10)))
    found = begun()
    found.watch(exported(ENVIRONMENT))
    assert done == []
    ready.set()
    found.wait()
    assert done == [True]


def test_what_cannot_be_read_ahead_is_no_failure(monkeypatch):
    def gone(*_):
        raise EngineError("no such image")

    monkeypatch.setattr(verifier, "read_ahead", gone)
    found = begun()
    found.watch(exported(ENVIRONMENT))
    found.wait()


def test_its_name_goes(read):
    engine: Any = SimpleNamespace(untag=read.append)
    begun(engine).forget()
    assert read == [NAME]
