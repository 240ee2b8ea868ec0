"""What is written from the models is current, and says what the models say."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from baker.config import project, reference, scaffold, settings

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("path", reference.files(ROOT), ids=lambda path: path.name)
def test_a_written_file_is_current(path):
    assert path.read_text() == reference.files(ROOT)[path], f"{path} is out of date: run `make reference`"


def test_the_list_of_defaults_is_what_the_defaults_are():
    assert settings.load(ROOT / "baker/config/defaults.toml") == settings.load(None)


def checker(file):
    schema = json.loads(reference.schema(file))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("baker.toml", "baker/config/defaults.toml"),
        ("baker.toml", "baker.toml"),
        ("baker.lock", "baker.lock"),
        ("service.toml", "services/stt/service.toml"),
        ("service.toml", "services/tts/service.toml"),
        ("service.toml", "services/moshi-server/base.toml"),
    ],
)
def test_our_own_files_fit_their_schema(file, path):
    checker(file).validate(tomllib.loads((ROOT / path).read_text()))


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("baker.toml", {"build": {"basse": "auto"}}, "basse"),
        ("baker.toml", {"build": {"base": "debain"}}, "debain"),
        ("baker.toml", {"images": {"tag": "LA TEST!"}}, "LA TEST!"),
        ("service.toml", {"image": {"port": 99999}}, "99999"),
        ("service.toml", {"image": {"packages": {"debian": ["g++; evil"]}}}, "evil"),
        ("service.toml", {"image": {"budget": "-5 GB"}}, "-5 GB"),
        ("baker.lock", {}, "required"),
    ],
)
def test_an_editor_sees_what_is_wrong(file, content, message):
    errors = [error.message for error in checker(file).iter_errors(content)]
    assert any(message in error for error in errors), errors


@pytest.mark.parametrize("file", reference.FILES)
def test_every_key_is_described(file):
    tables = json.loads(reference.schema(file))["$defs"]
    keys = {f"{name}.{key}": said for name, table in tables.items() for key, said in table["properties"].items()}
    assert not [name for name, said in keys.items() if not {"description", "$ref", "anyOf"} & set(said)]
    assert not [name for name, table in tables.items() if not table["description"].endswith(".")]


def test_init_lays_out_files_that_name_their_schemas(tmp_path):
    tuple(scaffold.lay_out(tmp_path / "p"))
    named = {}
    for path in (tmp_path / "p").rglob("*"):
        if path.is_file() and path.suffix in (".toml", ".lock"):
            line = path.read_text().partition("\n")[0]
            if line.startswith("#:schema "):
                named[path.relative_to(tmp_path / "p").as_posix()] = (path.parent / line.split()[1]).resolve()
    assert set(named) == {
        "baker.lock",
        "baker.toml",
        "services/moshi-server/base.toml",
        "services/stt/service.toml",
        "services/tts/service.toml",
    }
    assert all(json.loads(path.read_text())["title"] for path in named.values())
    assert project.find(tmp_path / "p").read_settings() == settings.load(None)
