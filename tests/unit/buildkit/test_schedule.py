"""Time by the critical path: what a build takes, and what is left while it runs."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from baker.buildkit.display import Screen
from baker.buildkit.progress import Progress, Stage
from baker.buildkit.schedule import Schedule, longest

#     root ─ toolchain ─ binary ─ image
#          └ python ─ venv ──────┘
AFTER = {
    "toolchain": ("root",),
    "binary": ("toolchain",),
    "python": ("root",),
    "venv": ("python",),
    "image": ("binary", "venv", "root"),
}
SECONDS = {"root": 10.0, "toolchain": 40.0, "binary": 600.0, "python": 5.0, "venv": 180.0, "image": 20.0}
SCHEDULE = Schedule(seconds=SECONDS, after=AFTER, finish=100.0)


def running(name, since, **more):
    return Stage(name=name, steps=1, started=True, running={1: since}, **more)


def done(name, started=0.0, ended=1.0):
    return Stage(name=name, steps=1, started=True, done={1}, ran={1: (started, ended)})


def stages(*found):
    return {stage.name: stage for stage in found}


def test_the_longest_chain_counts_and_not_the_sum():
    assert longest(SECONDS, AFTER) == (670.0, ("root", "toolchain", "binary", "image"))
    assert SCHEDULE.total == 770.0


def test_what_is_cached_takes_no_time():
    assert longest({"venv": 180.0, "image": 20.0}, AFTER) == (200.0, ("venv", "image"))
    assert longest({}, AFTER) == (0.0, ())


def test_nothing_has_begun():
    assert SCHEDULE.left({}, now=0.0).seconds == 770.0


def test_what_runs_is_counted_down():
    before = stages(done("root"), done("toolchain"), done("python"))
    assert SCHEDULE.left(before | stages(running("binary", 1000.0)), now=1400.0).seconds == 200.0 + 20 + 100
    # The binary ends before the venv, and then the venv is what everything waits for.
    late = before | stages(running("binary", 1000.0), running("venv", 1500.0))
    assert SCHEDULE.left(late, now=1520.0).seconds == 160.0 + 20 + 100


def test_one_that_takes_longer_is_not_due_at_once():
    found = stages(done("root"), done("toolchain"), done("python"), done("venv"), running("binary", 0.0))
    assert SCHEDULE.left(found, now=900.0).seconds == pytest.approx(90.0 + 20 + 100)


def test_what_is_done_leaves_what_follows():
    found = stages(*(done(name) for name in SECONDS))
    assert SCHEDULE.left(found, now=0.0).seconds == 100.0


def test_cargo_says_how_far_an_unknown_compile_is():
    unknown = Schedule(seconds={"image": 20.0}, after=AFTER, unknown=frozenset({"binary"}))
    assert unknown.left(stages(running("binary", 0.0)), now=60.0).unknown
    found = unknown.left(stages(running("binary", 0.0, crates=(100, 400))), now=60.0)
    assert (found.seconds, found.unknown) == (180.0 + 20.0, False)


@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        (SCHEDULE, "0.0 s, about 13 min left: toolchain"),
        (Schedule(seconds=SECONDS, after=AFTER, unknown=frozenset({"x"})), "0.0 s, at least 11 min left: toolchain"),
        (None, "0.0 s: toolchain"),
    ],
)
def test_a_log_says_now_and_then_how_long_it_takes_yet(monkeypatch, schedule, says):
    monkeypatch.setattr("baker.buildkit.display.QUIET_SECONDS", -1)
    said = io.StringIO()
    progress = Progress()
    with Screen(console=Console(file=said, width=200), schedule=schedule).shown(progress) as show:
        progress.stages["toolchain"] = Stage(name="toolchain", steps=1, started=True)
        show(progress)
    assert f"  … {says}" in said.getvalue().splitlines()


def test_a_terminal_has_the_same_in_its_last_line():
    said = io.StringIO()
    progress = Progress()
    console = Console(file=said, width=200, force_terminal=True, _environ={"TERM": "xterm"})
    with Screen(console=console, schedule=SCHEDULE).shown(progress) as show:
        progress.stages["binary"] = Stage(name="binary", steps=1, started=True, crates=(120, 480))
        show(progress)
    assert "about 13 min left: binary █████░░░░░░░░░░░░░░░ crate 120 of 480" in said.getvalue()
