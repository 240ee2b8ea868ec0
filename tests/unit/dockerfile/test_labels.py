"""The labels of images."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from baker.config import project
from baker.dockerfile import labels, planner
from tests.unit import choices

PROJECT = project.find(Path(__file__).parent)


def made(base: str, registry: str = "") -> dict[str, str]:
    choice = choices.choice(base=base, root="baker-root:abc")
    mirrors = replace(PROJECT.read_settings().mirrors, registry=registry)
    found = planner.make(PROJECT.read_services(["stt"]), PROJECT.read_pins(), mirrors, choice, PROJECT.services_folder)
    return dict(found.services[0].labels)


def test_base_and_licenses():
    name, _, digest = PROJECT.read_pins().nvidia.runtime.partition("@")
    prefix = "org.opencontainers.image"
    assert made("nvidia")[f"{prefix}.base.name"] == name
    assert made("nvidia")[f"{prefix}.base.digest"] == digest
    assert made("nvidia", "mirror.example.com/hub")[f"{prefix}.base.name"] == f"mirror.example.com/hub/{name}"
    assert made("debian")[f"{prefix}.base.name"] == "baker-root:abc"
    assert f"{prefix}.base.digest" not in made("debian"), "no registry has it"
    assert made("debian")[f"{prefix}.licenses"] == "MIT OR Apache-2.0"


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://github.com/me/speech.git", "https://github.com/me/speech"),
        ("https://me:ghp_token@github.com/me/speech.git", "https://github.com/me/speech"),
        ("https://token@gitlab.example.com:8443/a/b/speech/", "https://gitlab.example.com:8443/a/b/speech"),
        ("git@github.com:me/speech.git", "https://github.com/me/speech"),
        ("ssh://git@git.example.com:2222/me/speech.git", "https://git.example.com/me/speech"),
        ("/srv/git/speech.git", ""),
        ("../speech", ""),
        ("file:///srv/speech.git", ""),
        ("", ""),
    ],
)
def test_a_git_remote_becomes_an_address_without_a_login(remote, address):
    assert labels.source(remote) == address
