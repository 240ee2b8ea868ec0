"""Whatever a project's files hold, reading them gives a plan or an error of one line. Some seconds of it."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path
from typing import Any

import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baker.errors import LockError, UsageError
from tests.unit.config import files

# What a mutation puts in: text as people and attackers write it, and TOML's own signs.
TOKENS = st.sampled_from(
    ["\n", '"', "'", "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "#", "\\", "\0", "\ufeff", "é", '"""', "..", "/"]
) | st.text(max_size=8)
TEXTS = st.sampled_from(
    [
        "",
        " ",
        "a b",
        "*",
        "../..",
        "/",
        "/a/../b",
        "$(x)",
        "a;b",
        "a\nb",
        "\x1b[2J",
        "https://a:b@c/",
        "-x",
        "9" * 400,
        "8.0",
    ]
) | st.text(max_size=12)
SCALARS = TEXTS | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats() | st.dates() | st.datetimes()
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=5
)
BOUNDED = settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def attempt(name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        files.make(folder)
        (folder / name).write_bytes(content)
        try:
            files.read(folder)
        except (UsageError, LockError) as error:
            said = str(error)
        else:
            said = "it is fine"
    assert len(said.splitlines()) == 1, said


def original(name: str) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        files.make(Path(scratch))
        return (Path(scratch) / name).read_text()


ORIGINALS = {name: original(name) for name in files.READ}


@given(st.data(), st.sampled_from(files.READ))
@BOUNDED
def test_a_piece_of_a_file_is_another(data, name):
    text = ORIGINALS[name]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    attempt(name, (text[:start] + data.draw(TOKENS) + text[end:]).encode("utf-8", "surrogatepass"))


@given(st.data(), st.sampled_from(files.READ), VALUES)
@BOUNDED
def test_a_value_is_another(data, name, value):
    values: Any = tomllib.loads(ORIGINALS[name])
    place = values
    while True:
        keys = sorted(place) if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(list(keys)))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    if isinstance(place, dict) and data.draw(st.integers(0, 3)) == 0:
        place[data.draw(TEXTS)] = value
    else:
        place[key] = value
    try:
        text = tomlkit.dumps(values)
        tomllib.loads(text)
    except (ValueError, TypeError):
        return  # tomlkit writes some values that are no TOML
    attempt(name, text.encode("utf-8", "surrogatepass"))


@given(st.sampled_from(files.READ), st.binary(max_size=200))
@BOUNDED
def test_a_file_is_anything(name, content):
    attempt(name, content)
