"""The completions for bash propose what the command line takes. They start no Python."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "share/bash-completion/completions/baker"
# What bash does when a user presses the tabulator at the end of a line.
PRESS = """
source "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
"$(complete -p baker | sed 's/.*-F \\([^ ]*\\).*/\\1/')"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def press(folder, *words):
    """Return what bash proposes for the last word."""
    argv = ["bash", "-c", PRESS, "bash", str(SCRIPT), "baker", *words]
    done = subprocess.run(argv, cwd=folder, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.fixture
def folder(tmp_path):
    for name in ("speech", "text"):
        (tmp_path / "services" / name).mkdir(parents=True)
        (tmp_path / "services" / name / "service.toml").write_text("")
    (tmp_path / "services" / "common").mkdir()
    (tmp_path / "stack file.yml").write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("line", "proposed"),
    [
        ("bui", "build"),
        ("cache ", "show prune"),
        ("cache pr", "prune"),
        ("--context there pla", "plan"),
        ("build ", "speech text"),
        ("build t", "text"),
        ("build speech --base ", "nvidia debian auto"),
        ("build -C s", "services"),
        ("build --reprod", "--reproducible"),
        ("build --tag ", ""),
        ("models pull ", "speech text"),
        ("cache prune --ol", "--older-than"),
        ("bench s", "sizes start"),
    ],
)
def test_what_bash_proposes(folder, line, proposed):
    assert "\n".join(press(folder, *line.split(" "))).split() == proposed.split()


def test_a_file_with_a_space_is_one_proposal(folder):
    assert press(folder, "deploy", "--file", "st") == ["stack file.yml"]
