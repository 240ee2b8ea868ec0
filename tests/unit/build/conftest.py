"""A flow that builds nothing: a stand-in engine, a small project, and what is asked counted."""

from __future__ import annotations

from collections import Counter

import pytest

from baker.build import base, prepare, revision, root_image
from baker.buildkit import bake as bakes
from baker.config import pins, settings
from baker.config.project import BUILTIN
from baker.dockerfile import planner, render
from baker.engine.interface import LocalImage
from baker.verify import verifier
from baker.verify.checks import Check
from tests.unit.build.flow import COMMANDS
from tests.unit.fakes import FakeEngine

LOCK = """
[crates.hello]
version = "1.0.0"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
"""


@pytest.fixture
def alone(monkeypatch):
    """No registry answers, and there is no git."""
    monkeypatch.setattr(base, "missing", lambda _: lambda _: "no registry answers")
    monkeypatch.setattr(prepare, "revision", lambda *_: revision.UNKNOWN)


@pytest.fixture
def counts(monkeypatch):
    """Count what a flow does once, and let nothing leave this process."""
    found: Counter[str] = Counter()

    def answer(name, said):
        found[name] += 1
        return said

    def counted(module, name):
        real = getattr(module, name)

        def call(*arguments, **named):
            found[name if module is not pins else "pins"] += 1
            return real(*arguments, **named)

        monkeypatch.setattr(module, name, call)

    counted(planner, "make")
    counted(render, "render")
    counted(pins, "load")
    counted(settings, "load")
    monkeypatch.setattr(base, "missing", lambda _: lambda _: answer("registry", "no registry answers"))
    monkeypatch.setattr(prepare, "revision", lambda *_: answer("revision", revision.UNKNOWN))
    return found


@pytest.fixture
def engine(monkeypatch):
    """An engine whose builder makes what it is asked for, and whose images pass every check."""
    fake = FakeEngine(commands=COMMANDS)
    made = iter(range(100))

    def bake(argv, **_):
        for tag in (word.partition(".tags=")[2] for word in argv if ".tags=" in word):
            number = next(made)
            fake.images[tag] = LocalImage(
                id=f"sha256:{number}", tags=(tag,), size=1, labels={}, layers=(f"sha256:{number}",), config={}
            )

    monkeypatch.setattr(bakes, "bake", bake)
    monkeypatch.setattr(root_image, "ensure", lambda *_: None)
    monkeypatch.setattr(verifier, "check_built", lambda *_, **__: (Check(name="x", passed=True, detail=""),))
    return fake


@pytest.fixture
def project(tmp_path):
    """A project with one service that has a crate and one file."""
    (tmp_path / "services/hello").mkdir(parents=True)
    (tmp_path / "services/hello/motd").write_text("hello\n")
    (tmp_path / "services/hello/service.toml").write_text(
        '[crate]\nname = "hello"\n[[image.files]]\nfrom = "motd"\nto = "/app/motd"\n'
    )
    (tmp_path / "baker.toml").write_text('[build]\naccel = "cpu"\n')
    (tmp_path / "baker.lock").write_text(prepare_lock() + LOCK)
    return tmp_path


def prepare_lock():
    return (BUILTIN / "baker.lock").read_text()
