"""How much a command says, and how: -v and -q everywhere, NO_COLOR, and nothing but plain lines when piped."""

from __future__ import annotations

import io
import logging
import re
import sys
from dataclasses import replace

import click
import pytest
import typer
from rich.console import Console
from rich.text import Text
from typer.testing import CliRunner

from baker import cli
from baker.build import prepare, revision
from baker.cli import context, report, verbosity
from baker.cli.context import Session
from baker.system import process
from tests.documentation import PLAIN

COLOUR = re.compile(r"\x1b\[[0-9;]*(3[0-9]|9[0-7])")


def leaves(command, words=()):
    """Yield the words and the command of every command that does something."""
    if not hasattr(command, "commands"):
        yield words, command
        return
    for name, below in command.commands.items():
        yield from leaves(below, (*words, name))


LEAVES = dict(leaves(typer.main.get_command(cli.app)))


@pytest.fixture(autouse=True)
def session(monkeypatch):
    """What a command sets ends with it."""
    monkeypatch.setattr(prepare, "revision", lambda *_: revision.UNKNOWN)
    log = logging.getLogger("baker")
    token = context.SESSION.set(Session())
    yield
    context.SESSION.reset(token)
    log.handlers.clear()
    log.setLevel(logging.NOTSET)


def test_there_are_commands():
    assert len(LEAVES) > 15
    assert ("cache", "prune") in LEAVES


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_command_has_v_and_q(words):
    options = {option for item in LEAVES[words].params if isinstance(item, click.Option) for option in item.opts}
    # Typer has a copy of click, whose options are no click.Option.
    options |= {option for item in LEAVES[words].params for option in item.opts}
    assert options >= {"-v", "--verbose", "-q", "--quiet"}


@pytest.mark.parametrize("words", [*LEAVES, (), ("cache",), ("models",), ("try",)], ids=" ".join)
def test_help_that_is_piped_is_plain(words):
    shown = CliRunner().invoke(cli.app, [*words, "--help"])
    assert shown.exit_code == 0
    assert PLAIN.fullmatch(shown.output), shown.output
    assert "\\[" not in shown.output, "nothing is escaped that nobody reads as markup"


def run(monkeypatch, capsys, *argv):
    monkeypatch.setattr(sys, "argv", ["baker", *argv])
    with pytest.raises(SystemExit):
        cli.main()
    return capsys.readouterr()


def test_a_failure_that_is_piped_is_plain(monkeypatch, capsys):
    said = run(monkeypatch, capsys, "render", "sst")
    assert PLAIN.fullmatch(said.err)
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize("without", [True, False])
def test_no_color(monkeypatch, capsys, without):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1" if without else "")
    said = run(monkeypatch, capsys, "render", "sst")
    assert bool(COLOUR.search(said.err)) is not without


def test_both_are_too_much(monkeypatch, capsys):
    assert run(monkeypatch, capsys, "-v", "render", "-q").err == "error: pass either -v or -q\n"


@pytest.mark.parametrize("argv", [["-q", "render"], ["render", "--quiet"]])
def test_quiet_says_nothing_but_results(tmp_path, argv):
    words = [*argv, "--base", "debian", "--output", str(tmp_path / "out")]
    done = CliRunner().invoke(cli.app, words)
    assert (done.exit_code, done.output) == (0, "")
    assert (tmp_path / "out/Dockerfile").exists()


def test_without_quiet_there_are_notes(tmp_path):
    done = CliRunner().invoke(cli.app, ["render", "--base", "debian", "--output", str(tmp_path / "out")])
    assert "base debian, as asked" in done.output


def test_verbose_shows_what_is_started(capsys):
    verbosity.choose(verbose=True, quiet=False)
    verbosity.choose(verbose=False, quiet=False)
    process._told(["docker", "run", "a b"])
    assert capsys.readouterr().err == "+ docker run 'a b'\n"


def test_otherwise_it_is_not_shown(capsys):
    verbosity.choose(verbose=False, quiet=False)
    process._told(["docker", "run"])
    assert capsys.readouterr().err == ""


def test_the_session_keeps_what_else_it_has():
    context.SESSION.set(replace(context.SESSION.get(), docker_context="there"))
    verbosity.choose(verbose=False, quiet=True)
    assert (context.SESSION.get().docker_context, context.SESSION.get().quiet) == ("there", True)


def test_rows_are_neither_cut_nor_filled_up():
    said = io.StringIO()
    long = "sha256:" + "0" * 64
    report.rows([("a", Text("bb", style="red"), long), ("ccc", "", "")], Console(file=said, width=20, soft_wrap=True))
    assert said.getvalue() == f" a    bb  {long}\n ccc\n"
