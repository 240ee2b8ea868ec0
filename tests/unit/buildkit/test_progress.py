"""What buildx prints becomes stages, a failure, and lines for the log."""

from __future__ import annotations

import base64
import json
import re

import pytest

from baker.buildkit import bake
from baker.buildkit.progress import Progress
from baker.system import units

COMPILE = "[stt binary-x-cuda-80 1/1] RUN cargo   install\n --locked"


def vertex(digest, name, *, start="", end="", cached=False, error=""):
    found = {"digest": digest, "name": name}
    found |= {"started": f"2026-01-01T00:00:{start}Z"} if start else {}
    found |= {"completed": f"2026-01-01T00:00:{end}Z"} if end else {}
    return found | ({"cached": True} if cached else {}) | ({"error": error} if error else {})


def status(*vertexes, logs=()):
    said = [{"vertex": digest, "data": base64.b64encode(text.encode()).decode()} for digest, text in logs]
    return {"vertexes": list(vertexes), "logs": said}


def fed(*objects, pretty=False):
    progress, log = Progress(), []
    for item in objects:
        text = json.dumps(item, indent=2) if pretty else json.dumps(item)
        for line in text.splitlines(keepends=True):
            log += progress.feed(line)
        log += progress.feed("\n")
    return progress, log


@pytest.mark.parametrize("pretty", [False, True])
def test_a_stage_ends_with_its_last_step(pretty):
    first = vertex("a", "[stt toolchain 1/2] RUN apt", start="01.000000001", end="05.5")
    second = vertex("b", "[tts toolchain 2/2] RUN more", start="06")
    progress, _ = fed(status(first), status(second), pretty=pretty)
    assert not progress.stages["toolchain"].complete
    progress, _ = fed(status(first), status(second | {"completed": "2026-01-01T00:00:09Z"}), pretty=pretty)
    stage = progress.stages["toolchain"]
    assert (stage.complete, stage.from_cache, round(stage.seconds)) == (True, False, 8)


def test_a_stage_from_the_cache():
    progress, log = fed(status(vertex("a", "[stt python 1/1] RUN x", start="01", end="01", cached=True)))
    assert (progress.stages["python"].from_cache, progress.stages["python"].seconds, log) == (True, 0.0, [])


def test_text_between_objects_reaches_the_log():
    progress = Progress()
    assert progress.feed("WARNING: no output specified\n") == ["WARNING: no output specified"]
    assert progress.feed("{}\n") == []


def test_a_failure_has_stage_command_and_last_lines():
    lines = "\n".join(f"line {number}" for number in range(100))
    broken = vertex("a", COMPILE, start="01", end="02", error="exit code: 101")
    progress, log = fed(status(vertex("a", COMPILE, start="01"), logs=[("a", lines)]), status(broken))
    assert progress.failure is not None
    assert (progress.failure.stage, progress.failure.command) == ("binary-x-cuda-80", "RUN cargo install --locked")
    assert progress.failure.tail[-1] == "line 99"
    assert len(log) == 101


def test_what_was_cancelled_by_another_failure_is_none():
    progress, _ = fed(status(vertex("a", COMPILE, start="01", end="02", error="context canceled: gone")))
    assert progress.failure is None


def test_a_line_that_comes_in_pieces():
    _, log = fed(status(vertex("a", COMPILE, start="01"), logs=[("a", "   Compiling"), ("a", " serde v1\n")]))
    assert log[-1] == "binary-x-cuda-80 |    Compiling serde v1"


def test_cargos_count():
    line = "    Building [=====>                ] 120/345: serde, tokio(build)\r"
    progress, log = fed(status(vertex("a", COMPILE, start="01"), logs=[("a", line)]))
    assert progress.stages["binary-x-cuda-80"].crates == (120, 345)
    assert not any("Building" in text for text in log)


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("write /x: no space left on device", "disk is full"),
        ("curl: (6) Could not resolve host: index.crates.io", r"\[mirrors\]"),
        ("SSL certificate problem: unable to get local issuer certificate", r"\[secrets\] ca"),
        ("it requires rustc 1.88 or newer, while the currently active rustc version is 1.85.0", r"rust = \"1\.88\""),
        ("error[E0658]: use of unstable library feature `x`", r"rust = \"1\.88\""),
        ("the lock file /x needs to be updated but --locked was passed", "baker lock"),
    ],
)
def test_the_usual_reasons_get_a_hint(tmp_path, said, hint):
    broken = vertex("a", COMPILE, start="01", end="02", error="exit code: 1")
    progress, _ = fed(status(vertex("a", COMPILE, start="01"), logs=[("a", said)]), status(broken))
    assert re.search(hint, bake._explain(progress.failure, "", tmp_path / "build.log").splitlines()[-2])


def test_secrets_go_by_file_and_each_image_gets_one_tag(tmp_path):
    argv = bake.arguments(
        builder="far", secrets=[("ca", tmp_path / "ca.pem")], output="type=docker", tags={"stt": "baker/stt:building"}
    )
    assert "--builder=far" in argv
    assert f"--set=*.secrets=id=ca,src={tmp_path}/ca.pem" in argv
    assert argv[-2:] == ["--set=stt.tags=baker/stt:building", "stt"]


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.24, "0.2 s"), (59.4, "59.4 s"), (61, "1 min 01 s"), (1500, "25 min 00 s")]
)
def test_durations(seconds, said):
    assert units.duration(seconds) == said


def test_a_stage_that_waits_for_others_counts_only_what_ran():
    steps = [("a", "1/3", "01", "03"), ("b", "2/3", "50", "54"), ("c", "3/3", "52", "55")]
    progress, _ = fed(
        *(status(vertex(name, f"[tts tts {step}] RUN x", start=start, end=end)) for name, step, start, end in steps)
    )
    assert progress.stages["tts"].seconds == 7


def test_what_ran_for_one_image_is_not_cached_since_another_has_it_too():
    ran = status(vertex("a", "[stt python 1/1] RUN x", start="01", end="09"))
    progress, _ = fed(ran, status(vertex("a", "[tts python 1/1] RUN x", start="10", end="10", cached=True)))
    assert (progress.stages["python"].from_cache, progress.stages["python"].seconds) == (False, 8)


def test_what_another_build_made_before_counts_as_cached():
    """BuildKit tells a step that a build at the same time has made with the times of that build."""
    begin = vertex("i", "[stt internal] load build definition from Dockerfile", start="30", end="31")
    before = vertex("a", "[stt toolchain 1/2] RUN apt", start="01", end="20")
    still = vertex("b", "[stt toolchain 2/2] RUN more", start="02", end="40")
    progress, _ = fed(status(begin), status(before))
    assert progress.stages["toolchain"].ran == {}
    progress, _ = fed(status(begin), status(before), status(still))
    assert set(progress.stages["toolchain"].ran) == {2}


def test_exports_and_warnings_are_kept():
    warning = {"short": base64.b64encode(b"FromAsCasing").decode()}
    progress, _ = fed(
        status(vertex("e", "[tts] exporting to image", start="10")),
        {"warnings": [warning]},
        status(vertex("e", "[tts] exporting to image", start="10", end="25")),
    )
    (export,) = progress.exports.values()
    assert (export.target, export.ended - export.started) == ("tts", 15)
    assert progress.warnings == ["FromAsCasing"]
    assert progress.exporting == ""


def test_a_cache_that_cannot_be_read_is_not_what_a_build_fails_by():
    asked = "[stt] importing cache manifest from registry.example.com/cache:stt"
    progress, _ = fed(
        status(vertex("a", asked, start="01")),
        status(vertex("a", asked, start="01", end="02", error="registry.example.com/cache:stt:\nnot found")),
        status(vertex("b", "[tts] exporting cache to registry", start="02", end="03", error="denied")),
    )
    assert progress.failure is None
    assert progress.imports == {"registry.example.com/cache:stt": "registry.example.com/cache:stt: not found"}
    progress, _ = fed(
        status(vertex("a", asked, start="01", end="02", error="not found")),
        status(vertex("c", COMPILE, start="03", end="04", error="exit code: 101")),
    )
    assert progress.failure is not None
    assert progress.failure.error == "exit code: 101"


@pytest.mark.parametrize(
    ("steps", "reused"),
    [
        ([], False),
        ([vertex("a", "[stt toolchain 1/2] FROM root", start="01", end="01", cached=True)], False),
        ([vertex("a", "[stt toolchain 2/2] RUN apt", start="01", end="05")], False),
        ([vertex("a", "[stt toolchain 2/2] RUN apt", start="01", end="01", cached=True)], True),
    ],
)
def test_whether_anything_came_from_a_cache(steps, reused):
    progress, _ = fed(status(*steps))
    assert progress.reused is reused
