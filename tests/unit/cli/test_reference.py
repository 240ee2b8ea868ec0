"""What is written from the command line is current, and names every command and every option."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from baker.bench.startup import result
from baker.cli.reference import files
from baker.cli.reference.commands import Block, blocks, commands
from baker.config import settings

ROOT = Path(__file__).parents[3]
COMMANDS = commands()


@pytest.mark.parametrize("path", files.files(ROOT), ids=lambda path: path.name)
def test_a_written_file_is_current(path):
    assert path.read_text() == files.files(ROOT)[path], f"{path} is out of date: run `make reference`"


def test_groups_and_their_commands_are_there():
    names = [command.name for command in COMMANDS]
    assert names[0] == "baker"
    assert {"baker build", "baker models", "baker models pull", "baker cache prune"} <= set(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_teaches(command):
    (examples,) = [block for block in command.blocks if block.text == "Examples:"]
    assert any(line.startswith(command.name) for line in examples.lines)
    assert re.fullmatch(r"[A-Z][^<>]*\.", command.summary)
    assert "-h" in {flag for option in command.options for flag in option.flags}
    for item in (*command.arguments, *command.options):
        assert re.search(r"[a-z]\b.*[.\])]$", item.text), item
        # Python's types, as Typer writes them, are no words for a user.
        assert not re.search(r"[<>\[]", item.value), item


@pytest.mark.parametrize("name", files.FILES)
def test_every_option_is_in_every_file(name):
    text = files.files(ROOT)[ROOT / name].replace("\\-", "-").replace("\\fB", " ")
    for command in COMMANDS:
        for option in command.options:
            for flag in option.flags:
                written = flag.lstrip("-") if name.endswith(".fish") else flag
                assert re.search(rf"(?<![\w-]){re.escape(written)}(?![\w-])", text), f"{command.name} {flag}"


def test_links_of_the_page_lead_to_headings():
    text = files.files(ROOT)[ROOT / "docs/commands.md"]
    headings = {line.strip("# `").replace(" ", "-") for line in text.splitlines() if line.startswith("## ")}
    links = set(re.findall(r"\(#([^)]*)\)", text))
    assert links
    assert links <= headings


@pytest.mark.parametrize(
    ("flag", "legal"),
    [
        ("--base", settings.BASES),
        ("--accel", settings.ACCELS),
        ("--variant", settings.VARIANTS),
        ("--only", result.SCENARIOS),
        ("--way", result.WAYS),
    ],
)
def test_the_values_that_shells_propose_are_the_legal_ones(flag, legal):
    found = {option.choices for command in COMMANDS for option in command.options if flag in option.flags}
    assert {frozenset(choices) for choices in found} == {frozenset(legal)}


def test_help_in_typers_writing_becomes_blocks():
    said = "Do \\[it].\n\nMore\nof it.\n\n\b\nExamples:\n  baker do   # it\n    --more"
    assert tuple(blocks(said)) == (
        Block(text="Do [it]."),
        Block(text="More of it."),
        Block(text="Examples:", lines=("baker do   # it", "  --more")),
    )


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (".baker is a folder", "\\&.baker is a folder"),
        ("it's --long", "it\\(aqs \\-\\-long"),
        ("a `b` c", "a \\fBb\\fR c"),
        ("~ \\ ^", "\\(ti \\e \\(ha"),
    ],
)
def test_a_manual_page_has_no_markup_by_accident(text, written):
    assert files.roff(text) == written


def test_lines_of_a_manual_page_are_short_and_begin_no_macro():
    made = files.roff("word " * 14 + ".hidden " * 30)
    assert max(len(line) for line in made.splitlines()) <= 80
    assert not [line for line in made.splitlines() if line.startswith(".")]


@pytest.mark.parametrize(
    ("write", "text", "written"),
    [
        (files.quoted, "baker's", "'baker'\\''s'"),
        (files.fish, "baker's \\", "'baker\\'s \\\\'"),
        (files.bracketed, "[a:b]", "\\[a\\:b\\]"),
        (files.colons, "a: b", "a\\: b"),
        (files.sentence, "One. Two.", "One"),
    ],
)
def test_words_are_quoted_as_each_shell_reads_them(write, text, written):
    assert write(text) == written
