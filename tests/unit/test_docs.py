"""What README and docs say: commands that exist with options that they have, and the stages of the real Dockerfile.

`pytest tests/unit --update-golden` draws the stages anew.
"""

from __future__ import annotations

import re
import shlex
from typing import get_args

import msgspec
import pytest
import typer

from baker.cli import app
from baker.config.pins import Pins
from baker.config.service import ServiceToml
from baker.config.settings import BakerToml
from baker.dockerfile import stages
from baker.dockerfile.render import Rendered
from tests.documentation import PAGES, ROOT, blocks, shown

GOLDEN = ROOT / "tests/unit/dockerfile/golden"
GRAPH = re.compile(r"(<!-- stages: (\S+) -->\n```mermaid\n).*?(^```)", re.MULTILINE | re.DOTALL)
COMMANDS = typer.main.get_command(app)


def mermaid(name: str) -> str:
    """Draw the stages of a golden Dockerfile."""
    content = (GOLDEN / f"{name}.Dockerfile").read_bytes()
    lines = ["flowchart LR"]
    for stage in stages.read([Rendered(path="Dockerfile", content=content, mode=0o644)]):
        lines += [f"  {stage.parent} --> {stage.name}"] if stage.parent else []
        lines += [f"  {source} -.-> {stage.name}" for source in stage.sources]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("line", sorted({line for page in PAGES for line in shown(page)}), ids=lambda line: line[:60])
def test_a_command_that_is_shown_exists_and_has_its_options(line):
    words = shlex.split(line, comments=True)
    command = COMMANDS
    while words and (words[0] == "baker" or "=" in words[0] or words[0].endswith("/baker")):
        words.pop(0)
    for at, word in enumerate(words):
        if word in ("|", ">", "&&", ";"):
            break
        name = word.partition("=")[0].rstrip(",…")
        if word.startswith("-") and name not in ("-", "--"):
            options = {text for item in command.params for text in (*item.opts, *item.secondary_opts)}
            assert name in options | {"--help"}, f"`{command.name}` has no {name}"
        elif hasattr(command, "commands") and not (at and words[at - 1].startswith("--")):
            assert name in command.commands, f"there is no `{name}`"
            command = command.commands[name]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_stages_are_those_of_the_real_dockerfile(request, page):
    text = page.read_text(encoding="utf-8")
    drawn = GRAPH.sub(lambda found: found[1] + mermaid(found[2]) + found[3], text)
    if request.config.getoption("update_golden"):
        page.write_text(drawn, encoding="utf-8")
    assert drawn == page.read_text(encoding="utf-8")


def test_every_command_is_shown():
    """What is shown is run by tests/docker/test_documented.py, or by the tests that it names."""
    lines = {line.removeprefix(".venv/bin/") for page in PAGES for line in shown(page)}

    def check(command, words):
        if hasattr(command, "commands"):
            for name, below in command.commands.items():
                check(below, f"{words} {name}")
            return
        assert any(line.startswith(words) for line in lines), f"no page shows `{words}`"

    check(COMMANDS, "baker")


def tables() -> set[str]:
    """Return the tables of baker.toml, service.toml and baker.lock, and their keys, as in "crate.build-packages"."""
    found = set()
    for model in (BakerToml, ServiceToml, Pins):
        for field in msgspec.structs.fields(model):
            kinds = [kind for kind in (field.type, *get_args(field.type)) if isinstance(kind, type)]
            below = [msgspec.structs.fields(kind) for kind in kinds if issubclass(kind, msgspec.Struct)]
            found |= {field.encode_name, *(f"{field.encode_name}.{key.encode_name}" for keys in below for key in keys)}
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_table_that_is_named_exists(page):
    shown = re.findall(r"`\[\[?([a-z][a-z.-]*)\]\]?`", page.read_text(encoding="utf-8"))
    # Those of pyproject.toml begin with "tool".
    assert {name for name in shown if not name.startswith("tool.")} <= tables()


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")), ids=lambda page: page.name)
def test_what_a_page_outside_of_the_site_links_to_is_there(page):
    """Zensical looks at the pages of the site alone."""
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_target_of_make_that_is_shown_exists(page):
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    inline = re.findall(r"(?<!`)`make\s+([a-z0-9-]+)", text)
    assert {*inline, *(line.split()[1] for line in blocks(page) if line.startswith("make "))} <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_block_of_shell_is_indented(page):
    """The tests that run what is shown would not see it."""
    assert not re.search(r"^[ \t]+```", page.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_readme_is_short():
    """What, for whom, one number, two pictures, the commands; the rest is links."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 90
    assert len(re.findall(r"^!\[.+\]\(docs/images/.+\)$", text, re.MULTILINE)) == 2


def test_every_picture_is_shown():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [file.name for file in (ROOT / "docs/images").iterdir() if f"images/{file.name})" not in text] == []


def test_the_page_in_the_images_is_small_and_asks_no_other_server():
    files = list((ROOT / "services/moshi-server/page").iterdir())
    # docs/page.md says how much it is.
    assert 50_000 < sum(file.stat().st_size for file in files) < 65_000
    # A name space is not asked, nor is what a comment names.
    text = "".join(re.sub(r"//[^\n]*github\.com/msgpack/[^\n]*", "", file.read_text()) for file in files)
    assert set(re.findall(r"(?:https?|wss?)://[\w.]+", text)) <= {"http://www.w3.org"}


def test_there_are_commands_and_stages():
    """Else the tests above would look at nothing."""
    assert sum(len(shown(page)) for page in PAGES) > 50
    assert any(GRAPH.search(page.read_text(encoding="utf-8")) for page in PAGES)
