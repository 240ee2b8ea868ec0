"""The script of the workflow that moves pins pushes a branch and opens one pull request."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

EXAMPLE = Path(__file__).parents[2] / "docs/ci/github-lock.yml"
WORKFLOW = yaml.safe_load(EXAMPLE.read_text())
STEPS = {step.get("name"): step for step in WORKFLOW["jobs"]["lock"]["steps"]}
# GitHub's program writes down how it was called; PRS is the number of open pull requests.
GH = '#!/bin/sh\necho "$@" >> "$CALLS"\ncase $1$2 in prlist) echo "$PRS" ;; esac\n'
# baker moves a pin, and says so.
BAKER = '#!/bin/sh\necho "version = 2" > baker.lock\necho "crate it 1 → 2"\n'


def git(folder, *argv):
    return subprocess.run(["git", "-C", folder, *argv], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def job(tmp_path):
    """Run steps of the job, as GitHub runs them, in a clone of a repository with a lock."""
    (tmp_path / "bin").mkdir()
    for name, text in (("gh", GH), ("baker", BAKER)):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    git(tmp_path, "init", "--quiet", "--bare", "origin.git")
    git(tmp_path, "clone", "--quiet", "origin.git", "clone")
    clone = tmp_path / "clone"
    (clone / "baker.lock").write_text("version = 1\n")
    git(clone, "add", ".")
    git(clone, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "first")
    git(clone, "push", "--quiet", "origin", "HEAD")

    def run(*steps, prs=0):
        environment = {
            **os.environ,
            "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
            "RUNNER_TEMP": str(tmp_path),
            "CALLS": str(tmp_path / "calls"),
            "PRS": str(prs),
        }
        for step in steps:
            argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS[step]["run"]]
            subprocess.run(argv, cwd=clone, env=environment, check=True, capture_output=True, text=True)
        return (tmp_path / "calls").read_text().splitlines() if (tmp_path / "calls").exists() else []

    return run


@pytest.fixture
def origin(tmp_path):
    return tmp_path / "origin.git"


LOOK, OPEN = "Look up newer versions", "Open a pull request, or bring the open one up to date"


def test_a_pin_that_moves_becomes_a_pull_request(job, origin):
    calls = job(LOOK, OPEN)
    assert git(origin, "show", "baker-lock:baker.lock") == "version = 2\n"
    assert "crate it 1 → 2" in git(origin, "log", "-1", "--format=%b", "baker-lock")
    assert calls[-1].startswith("pr create --head baker-lock")


def test_a_lock_that_fails_ends_the_job():
    # `shell: bash` is what has pipefail: https://docs.github.com/actions/reference/workflow-syntax-for-github-actions
    assert WORKFLOW["defaults"]["run"]["shell"] == "bash"


def test_an_open_pull_request_gets_the_new_pins_only(job, origin):
    calls = job(LOOK, OPEN, prs=1)
    assert git(origin, "show", "baker-lock:baker.lock") == "version = 2\n"
    assert not [call for call in calls if call.startswith("pr create")]


def test_without_a_move_nothing_is_pushed(job, origin):
    assert job(OPEN) == []
    assert "baker-lock" not in git(origin, "branch", "--list")
