"""The rules of renovate.json find the pins of baker.lock."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from baker.config.pins import Pins

ROOT = Path(__file__).parents[2]
RULES = json.loads((ROOT / "renovate.json").read_text())
LOCK = (ROOT / "baker.lock").read_text()
PINS = msgspec.toml.decode(LOCK)


def found(datasource):
    """Return what the rule of a datasource finds, by Renovate's names."""
    (rule,) = [item for item in RULES["customManagers"] if item["datasourceTemplate"] == datasource]
    (pattern,) = rule["matchStrings"]
    # A group has a name in JavaScript's writing; in Python's there is a P before it.
    return [hit.groupdict() for hit in re.finditer(pattern.replace("(?<", "(?P<"), LOCK)]


def test_every_crate_is_found():
    crates = {item["depName"]: item["currentValue"] for item in found("crate")}
    assert crates == {name: pin["version"] for name, pin in PINS["crates"].items()}


def test_uv_is_found():
    assert found("pypi") == [{"depName": "uv", "currentValue": PINS["uv"]["version"]}]


def test_every_image_is_found_with_its_digest():
    images = [f"{item['depName']}:{item['currentValue']}@{item['currentDigest']}" for item in found("docker")]
    assert images == [PINS["nvidia"]["devel"], PINS["nvidia"]["runtime"]]


@pytest.mark.parametrize("path", ["baker.lock", "speech/baker.lock"])
def test_the_file_is_found_in_any_folder(path):
    for rule in RULES["customManagers"]:
        (pattern,) = rule["managerFilePatterns"]
        assert re.search(pattern.strip("/"), path)


def test_a_pin_with_a_checksum_is_written_by_baker():
    (rule,) = [item for item in RULES["packageRules"] if "postUpgradeTasks" in item]
    assert rule["matchDatasources"] == ["crate", "pypi"]
    assert rule["postUpgradeTasks"]["commands"] == ["baker lock --upgrade {{{depName}}}"]
    # What Renovate may find is what the command may be called with.
    names = {item["depName"] for source in ("crate", "pypi") for item in found(source)}
    assert names <= {*PINS["crates"], "uv"}
    assert msgspec.convert(PINS, Pins).crates
