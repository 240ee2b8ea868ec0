"""scripts/suites.sh: what fails beside others is run once more, by itself, and what fails twice fails the run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
# Stands for .venv/bin/python: says which engine there is, and runs pytest without this project's settings.
PYTHON = """#!/bin/sh
[ "$*" != "-m tests.engines.own" ] || exit "$OWN"
echo "called: $*" >> calls
exec "{python}" "$@"
"""
PLAIN = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
ONCE = """
import pathlib
import pytest

@pytest.mark.parametrize("number", range({number}))
def test_once(number):
    tried = pathlib.Path(f"tried-{{number}}")
    if not tried.exists():
        tried.touch()
        assert False, "the first time"
"""
ALWAYS = "def test_always():\n    assert False\n"
NEVER = "def test_never():\n    pass\n"


@pytest.fixture
def suites(tmp_path):
    """Run suites.sh on tests of their own; return its exit code, and which runs of pytest there were."""

    def run(docker: str, e2e: str, *, own: bool = False) -> tuple[int, list[str]]:
        files = {"tests/docker/test_docker.py": docker, "tests/e2e/test_e2e.py": e2e, "pytest.ini": "[pytest]\n"}
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        python = tmp_path / ".venv/bin/python"
        python.parent.mkdir(parents=True)
        python.write_text(PYTHON.format(python=sys.executable))
        python.chmod(0o755)
        (tmp_path / "scripts").mkdir()
        shutil.copy(TOP / "scripts/suites.sh", tmp_path / "scripts")
        inherited = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")}
        done = subprocess.run(
            ["scripts/suites.sh", "-p", "xdist"],
            cwd=tmp_path,
            env={**inherited, **PLAIN, "OWN": "0" if own else "1", "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not list(tmp_path.glob("tmp.*")), "its cache is gone"
        calls = [line for line in (tmp_path / "calls").read_text().splitlines() if line.startswith("called: -m pytest")]
        return done.returncode, ["again" if "--last-failed" in line else "first" for line in calls]

    return run


def test_what_passes_is_run_once(suites):
    assert suites(NEVER, NEVER) == (0, ["first"])


def test_what_fails_once_passes(suites):
    assert suites(ONCE.format(number=2), NEVER) == (0, ["first", "again"])


def test_what_fails_twice_fails(suites):
    assert suites(ONCE.format(number=2), ALWAYS) == (1, ["first", "again"])


def test_many_failures_are_no_accident(suites):
    assert suites(ONCE.format(number=31), NEVER) == (1, ["first"])


def test_two_suites_are_each_run_again(suites):
    assert suites(ONCE.format(number=1), NEVER, own=True) == (0, ["first", "again", "first"])


def test_a_failure_of_either_suite_counts(suites):
    assert suites(ALWAYS, NEVER, own=True) == (1, ["first", "again", "first"])


def test_a_fault_in_collecting_is_no_accident(suites):
    assert suites("import nowhere_at_all", NEVER)[0] != 0
