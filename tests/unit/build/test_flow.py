"""One flow: what is probed, read, planned or rendered once is handed on, and nobody asks twice."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest

from baker.build import pipeline, planning, receipt, record, root_image
from baker.buildkit import bake as bakes
from baker.buildkit import history
from baker.buildkit.progress import Progress, Stage
from baker.cli.options import BuildOptions
from baker.engine.client import Docker
from baker.engine.interface import LocalImage
from baker.errors import EngineError, InterruptedBuildError, VerifyError
from baker.verify import verifier
from baker.verify.checks import Check
from tests.unit.build.flow import COMMANDS, build

pytestmark = pytest.mark.usefixtures("alone")


ONCE = {"make": 1, "render": 1, "pins": 1, "load": 1, "registry": 1, "revision": 1}


def test_a_first_build_asks_everything_once(project, engine, counts):
    done, said = build(project, engine)
    assert counts == ONCE
    assert {name: engine.counts[name] for name in ("buildx version", "buildx inspect")} == {
        "buildx version": 1,
        "buildx inspect": 1,
    }
    assert said.count("base debian") == 1
    assert engine.images["baker/hello:latest"].id == done[0].digest
    assert not [name for name in engine.images if pipeline.STAGING in name]


def test_an_unchanged_build_asks_no_builder_and_no_registry(project, engine, counts):
    build(project, engine)
    counts.clear()
    engine.counts.clear()
    _, said = build(project, engine)
    assert counts == {"make": 1, "render": 1, "pins": 1, "load": 1}
    assert not engine.counts
    assert "nothing has changed" in said


def test_a_changed_build_plans_once_too(project, engine, counts):
    build(project, engine)
    counts.clear()
    (project / "services/hello/motd").write_text("changed\n")
    build(project, engine)
    assert counts == ONCE


def test_what_does_not_pass_gets_no_tag_and_no_receipt(project, engine, monkeypatch):
    failed = Check(name="secrets", passed=False, detail="a token")
    monkeypatch.setattr(verifier, "check_built", lambda *_, **__: (failed,))
    with pytest.raises(VerifyError, match="secrets: a token"):
        build(project, engine)
    assert engine.images == {}
    assert not list(project.glob(".baker/receipts/*"))


def test_a_receipt_that_cannot_be_written_leaves_the_tags(project, engine, monkeypatch):
    """Nothing that can fail comes after the first tag."""

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(receipt, "write", full)
    with pytest.raises(OSError, match="No space"):
        build(project, engine)
    assert engine.images == {}


def test_ctrl_c_leaves_the_tags(project, engine, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(bakes, "bake", stop)
    with pytest.raises(InterruptedBuildError, match="tags are as they were"):
        build(project, engine)
    assert engine.images == {}


def test_the_same_command_after_ctrl_c_says_that_it_goes_on(project, engine, monkeypatch):
    """What was made before Ctrl-C is in the ledger; a builder that does not say what it keeps counts as having it."""

    def stop(_argv, **options):
        progress = Progress()
        progress.stages["toolchain"] = Stage(
            name="toolchain", steps=1, done={1}, ran={1: (1.0, 62.0)}, texts={1: "RUN x"}
        )
        options["watch"](progress)
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(bakes, "bake", stop)
        with pytest.raises(InterruptedBuildError, match="The same command goes on"):
            build(project, engine)
    (left,) = record.read(project / ".baker")
    assert (left.state, [stage.name for stage in left.stages]) == (record.INTERRUPTED, ["toolchain"])
    _, said = build(project, engine)
    assert "the last build was interrupted after" in said
    assert "not built again: toolchain, which took 1 min 01 s" in said
    assert [item.state for item in record.read(project / ".baker")] == [record.FINISHED, record.INTERRUPTED]


def test_a_failure_leaves_a_record_with_its_reason(project, engine, monkeypatch):
    failed = Check(name="secrets", passed=False, detail="a token")
    monkeypatch.setattr(verifier, "check_built", lambda *_, **__: (failed,))
    with pytest.raises(VerifyError):
        build(project, engine)
    (left,) = record.read(project / ".baker")
    assert left.state == record.FAILED
    assert "secrets: a token" in left.error
    assert [check.passed for check in left.images[0].checks] == [False]


def test_a_build_that_does_not_fit_ends_before_it_begins(project, engine, monkeypatch):
    monkeypatch.setattr(planning, "free", lambda _: 4 * 10**8)
    with pytest.raises(EngineError, match=r"only 400\.0 MB are free"):
        build(project, engine)
    monkeypatch.setattr(planning, "LEAST_FREE", 0)
    with pytest.raises(EngineError, match=r"this build takes about 1\.4 GB at its peak, and 400\.0 MB are free"):
        build(project, engine)
    assert not list(project.glob(".baker/context/*"))
    build(project, engine, anyway=True)
    assert "baker/hello:latest" in engine.images


def test_what_is_tagged_is_the_image_that_was_verified(project, engine, monkeypatch):
    """Another project may take the staging name meanwhile."""
    other = LocalImage(id="sha256:other", tags=(), size=1, labels={}, layers=(), config={})

    def check(_engine, image, *_, **__):
        for name in list(engine.images):
            engine.images[name] = other
        engine.images["kept"] = image
        return ()

    monkeypatch.setattr(verifier, "check_built", check)
    done, _ = build(project, engine)
    assert engine.images["baker/hello:latest"].id == done[0].digest == engine.images["kept"].id != other.id


def test_two_projects_have_staging_names_of_their_own(project, tmp_path_factory):
    first = BuildOptions(project=project).request()
    other = replace(first, project=replace(first.project, state=tmp_path_factory.mktemp("other")))
    assert pipeline.staging(first, "hello") != pipeline.staging(other, "hello")


def test_the_engine_is_asked_once_what_it_is():
    asked: Counter[str] = Counter()

    def answer(name, said):
        asked[name] += 1
        return said

    docker = Docker({})
    docker._sdk = SimpleNamespace(
        info=lambda: answer("info", {"ID": "x"}), version=lambda: answer("version", {"Version": "1"})
    )
    assert docker.describe() is docker.describe()
    assert asked == {"info": 1, "version": 1}


def test_several_builders_use_the_files_of_a_project_one_at_a_time(project, engine, monkeypatch):
    """Each works in a thread. The ledger has what all of them made."""
    shutil.copytree(project / "services/hello", project / "services/other")
    engine.commands = {**COMMANDS, "buildx inspect": lambda argv: f"Name: {argv[-1]}\nDriver: remote\n"}
    (project / "baker.toml").write_text('[build]\naccel = "cpu"\nbuilder = "one,two"\n')
    busy: list[str] = []
    seen: list[list[str]] = []

    @contextmanager
    def used(what):
        busy.append(what)
        seen.append([*busy])
        time.sleep(0.05)
        yield
        busy.remove(what)

    def layout(_engine, _reference, folder):
        with used("layout"):
            return f"oci-layout://{folder}"

    record_one = history.record

    def slowly(*arguments):
        with used("ledger"):
            record_one(*arguments)

    monkeypatch.setattr(root_image, "layout", layout)
    monkeypatch.setattr(history, "record", slowly)
    build(project, engine)
    assert sorted(seen) == [["layout"], ["layout"], ["ledger"], ["ledger"]]
    assert {entry.stage.name for entry in history.read(project / ".baker")} >= {"hello", "other"}
