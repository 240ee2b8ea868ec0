"""What the doctor does about its findings, and its command."""

from __future__ import annotations

import os
import shutil

import pytest
from typer.testing import CliRunner

from baker import cli
from baker.doctor import examine, programs, treatment
from baker.doctor.finding import Finding, Fix
from baker.errors import CommandError, UsageError
from tests.unit.doctor.findings import by_name, commands


def test_programs_are_installed_by_apt_where_that_is_possible(monkeypatch):
    here = {"apt-get", "sudo"}
    monkeypatch.setattr(shutil, "which", lambda name, path: f"{path}/{name}" if name in here else None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    found = by_name(programs.publishing({"PATH": "/bin"}))
    assert commands(found["skopeo"]) == (
        ("sudo", "apt-get", "update"),
        ("sudo", "apt-get", "install", "--yes", "skopeo"),
    )
    here -= {"sudo"}
    assert programs.install(("skopeo",), {"PATH": "/bin"}) is None
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert programs.install(("skopeo",), {"PATH": "/bin"}) == Fix(
        what="install skopeo", commands=(("apt-get", "update"), ("apt-get", "install", "--yes", "skopeo"))
    )


APT = Fix(what="install jq", commands=(("apt-get", "update"), ("apt-get", "install", "jq")))


def test_fixes_are_asked_for_and_done_once():
    found = [
        Finding(name="a", state="missing", detail="", fix=APT),
        Finding(name="b", state="missing", detail="", fix=APT),
        Finding(name="c", state="note", detail=""),
        Finding(name="d", state="note", detail="", fix=Fix(what="no", commands=(("no",),))),
    ]
    asked: list[str] = []
    ran: list[tuple[str, ...]] = []

    def ask(question):
        asked.append(question)
        return "jq" in question

    assert treatment.treat(found, ask, ran.append, lambda _: None) == 1
    assert ran == [("apt-get", "update"), ("apt-get", "install", "jq")]
    assert asked == ["a: install jq?\n  apt-get update\n  apt-get install jq\n", "d: no?\n  no\n"]


def test_what_fails_ends_it():
    def run(argv):
        raise CommandError(argv, 1, "")

    with pytest.raises(CommandError):
        treatment.treat([Finding(name="a", state="note", detail="", fix=APT)], lambda _: True, run, lambda _: None)


@pytest.fixture
def told(monkeypatch):
    """What the doctor finds, first and later, and what was run."""
    rounds = [
        (Finding(name="jq", state="missing", detail="not there", fix=APT),),
        (Finding(name="jq", state="ok", detail="/usr/bin/jq"),),
    ]
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(examine, "examine", lambda *_: rounds.pop(0))
    monkeypatch.setattr("baker.system.process.run", lambda argv, **_: ran.append(argv))
    return ran


def test_the_command_fixes_and_looks_again(told):
    done = CliRunner().invoke(cli.app, ["doctor", "--fix", "--yes"])
    assert done.exit_code == 0, done.output
    assert len(told) == 2
    assert "1 fixed" in done.output
    assert done.output.splitlines()[-1].split() == ["ok", "jq", "/usr/bin/jq"]


def test_without_fix_nothing_is_done(told):
    done = CliRunner().invoke(cli.app, ["doctor"])
    assert (done.exit_code, told) == (4, [])


def test_nobody_to_ask(told):
    done = CliRunner().invoke(cli.app, ["doctor", "--fix"])
    assert isinstance(done.exception, UsageError)
    assert "--yes" in str(done.exception)
    assert told == []
