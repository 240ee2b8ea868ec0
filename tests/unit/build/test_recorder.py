"""The record of a build is what BuildKit told and what was done beside it."""

from __future__ import annotations

from itertools import count
from types import SimpleNamespace

import pytest

from baker.build import record, recorder
from baker.build.recorder import EXPORT, ROOT, VERIFY, Recorder
from baker.buildkit.progress import Export, Progress, Stage
from baker.config.platforms import AMD64
from baker.engine import histories
from baker.engine.interface import EngineInfo, LocalImage
from baker.verify.checks import Check
from tests.unit.build import test_estimate
from tests.unit.fakes import FakeEngine

HISTORY = (
    ('CMD ["serve"]', 0),
    ("COPY motd /app/motd # buildkit", 12),
    ("RUN /bin/sh -c apt-get install tini # buildkit", 400),
    ("", 90_000),
)


class Engine(FakeEngine):
    def layers(self, reference):
        return histories.layers(self.images[reference].layers, HISTORY[::-1])


def image(*layers):
    return LocalImage(id="sha256:1", tags=("a/tts:b",), size=90_412, labels={}, layers=layers, config={})


@pytest.fixture
def recording():
    """A recorder of a build that begins at 1000, and whose clock goes on by ten seconds at each look."""
    here = EngineInfo(id="x", version="26.1.5", machine="x86_64", containerd_store=True, root="/", local=True, cores=2)
    plan = SimpleNamespace(base="debian", accel="cuda", services=(SimpleNamespace(target="tts"),))
    request = SimpleNamespace(platform=AMD64)
    prepared = SimpleNamespace(plan=plan, stages=test_estimate.STAGES, request=request)
    times = count(1000.0, 10.0)
    return Recorder(prepared, SimpleNamespace(engine=here, buildx="0.13.1"), lambda: next(times))  # type: ignore[arg-type]


def test_stages_come_with_their_times_and_what_they_wait_for(recording):
    progress = Progress()
    done = Stage(name="toolchain", steps=2, started=True, done={1, 2}, texts={1: "FROM root", 2: "RUN apt"})
    done.ran[2] = (1002.0, 1008.0)
    progress.stages = {
        "tts": Stage(name="tts", steps=1, started=True, running={1: 1004.0}, texts={1: "RUN x"}, crates=(1, 9)),
        "toolchain": done,
        "venv-moshi-server": Stage(name="venv-moshi-server", steps=1, done={1}),
    }
    recording.baked(progress)
    first, venv, tts = recording.result(record.INTERRUPTED, "").stages
    assert first.steps == (record.Step(text="RUN apt", started=2.0, ended=8.0),)
    assert (first.cached, first.complete, first.seconds) == (False, True, 6.0)
    assert (venv.cached, venv.steps) == (True, ())
    assert (tts.complete, tts.crates, tts.steps[0].started) == (False, (1, 9), 4.0)
    assert set(tts.after) == {test_estimate.BINARY, "venv-moshi-server", "tool"}


def test_what_is_done_beside_the_stages(recording, monkeypatch):
    with recording.activity(ROOT):
        pass
    with pytest.raises(KeyboardInterrupt), recording.activity(VERIFY, "tts"):
        raise KeyboardInterrupt
    progress = Progress()
    progress.exports[""] = Export(target="", started=1025.0, ended=1028.0)
    recording.baked(progress)
    monkeypatch.setattr(recorder, "MOMENT", 10.0)
    with recording.activity(ROOT):
        pass
    found = [(item.name, item.target, item.started, item.ended) for item in recording.result("failed").activities]
    assert found == [(ROOT, "", 10.0, 20.0), (EXPORT, "tts", 25.0, 28.0), (VERIFY, "tts", 30.0, 40.0)]


def test_layers_have_their_bytes_and_instructions(recording):
    checks = (Check(name="user", passed=True, detail="1000:1000"),)
    engine = Engine(images={"sha256:1": image("sha256:a", "sha256:b", "sha256:c")})
    recording.verified("tts", "a/tts:b", engine.images["sha256:1"], checks, engine)
    (found,) = recording.result(record.FINISHED).images
    assert [(layer.digest[-1], layer.size, layer.made_by) for layer in found.layers] == [
        ("a", 90_000, ""),
        ("b", 400, "RUN apt-get install tini"),
        ("c", 12, "COPY motd /app/motd"),
    ]
    assert found.checks == (record.Check(name="user", passed=True, detail="1000:1000", skipped=False),)


def test_a_finished_build_has_no_stage_that_is_not(recording):
    """The last step of a stage, which another image has too, was told under the other's name."""
    progress = Progress()
    progress.stages = {
        "tts": Stage(name="tts", steps=2, started=True, done={1}, texts={1: "RUN x"}, ran={1: (1002.0, 1003.0)})
    }
    recording.baked(progress)
    assert [stage.complete for stage in recording.result(record.FAILED).stages] == [False]
    assert [stage.complete for stage in recording.result(record.FINISHED).stages] == [True]
