"""What the environment says about the hub and the cache, compared with huggingface_hub's own reading."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from huggingface_hub import constants

from baker.errors import UsageError
from baker.models import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """huggingface_hub reads the environment when it is imported: again after the test, for the other tests."""
    for name in (*NAMES, "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    yield monkeypatch
    monkeypatch.undo()
    importlib.reload(constants)


@pytest.mark.parametrize(
    ("given", "hub"),
    [
        ({}, "/home/me/.cache/huggingface/hub"),
        ({"XDG_CACHE_HOME": "/var/cache"}, "/var/cache/huggingface/hub"),
        ({"HF_HOME": "/srv/models"}, "/srv/models/hub"),
        ({"HF_HOME": "~/models"}, "/home/me/models/hub"),
        ({"HF_HOME": "$DISK/${USER}/hf"}, "/mnt/1/me/hf/hub"),
        ({"HF_HOME": "$NOT_SET/hf"}, "$NOT_SET/hf/hub"),
        ({"HF_HUB_CACHE": "/srv/hub"}, "/srv/hub"),
        ({"HF_HUB_CACHE": "~/hub", "HF_HOME": "/srv/models"}, "/home/me/hub"),
        ({"HUGGINGFACE_HUB_CACHE": "/srv/old", "HF_HOME": "/srv/models"}, "/srv/old"),
        ({"HUGGINGFACE_HUB_CACHE": "$DISK/old"}, "/mnt/1/old"),
        ({"HF_HUB_CACHE": "/srv/new", "HUGGINGFACE_HUB_CACHE": "/srv/old"}, "/srv/new"),
    ],
)
def test_the_cache_is_huggingface_hubs(theirs: pytest.MonkeyPatch, given: dict[str, str], hub: str) -> None:
    variables = {"HOME": "/home/me", "USER": "me", "DISK": "/mnt/1", **given}
    assert environment.place(variables).hub == Path(hub)
    for name, value in variables.items():
        theirs.setenv(name, value)
    importlib.reload(constants)
    assert Path(constants.HF_HUB_CACHE) == Path(hub)


def test_a_place_is_shown_as_it_was_named() -> None:
    assert environment.place({"HF_HOME": "/srv/models"}).shown == "/srv/models"
    assert environment.place({"HF_HUB_CACHE": "/srv/hub"}).shown == "/srv/hub"
    assert environment.home(Path("here")) == environment.Place(hub=Path("here/hub"), shown="here")


def test_a_home_of_nobody() -> None:
    with pytest.raises(UsageError, match=r"^~no-such-user-here/x: "):
        environment.place({"HF_HOME": "~no-such-user-here/x"})


def test_the_endpoint() -> None:
    assert environment.access({}).endpoint == "https://huggingface.co"
    assert environment.access({"HF_ENDPOINT": ""}).endpoint == "https://huggingface.co"
    assert environment.access({"HF_ENDPOINT": "https://mirror:8443/hf/"}).endpoint == "https://mirror:8443/hf"


@pytest.mark.parametrize(
    "endpoint",
    ["mirror", "mirror:80", "ftp://mirror", "https://", "http://[bad", "https://m:x/", "file:///x", "https://m?a"],
)
def test_what_is_no_endpoint(endpoint: str) -> None:
    with pytest.raises(UsageError, match=r"^HF_ENDPOINT is '.*', which is no address of a hub like https://"):
        environment.access({"HF_ENDPOINT": endpoint})


def test_a_password_is_not_shown() -> None:
    with pytest.raises(UsageError) as raised:
        environment.access({"HF_ENDPOINT": "ftp://me:pa@ss@mirror"})
    assert "HF_ENDPOINT is 'ftp://mirror'" in str(raised.value)
    text = "GET https://me:pass@a/b and http://x@c:1/d failed, see mail@e"
    assert environment.hidden(text) == "GET https://a/b and http://c:1/d failed, see mail@e"


@pytest.mark.parametrize(
    ("new", "old", "token", "notes"),
    [
        ("", "", "", 0),
        ("one", "", "one", 0),
        ("", "two", "two", 0),
        ("one", "one", "one", 0),
        ("one", "two", "one", 1),
        (" one\n", "one", "one", 0),
        ("  ", "two", "two", 0),
    ],
)
def test_tokens(new: str, old: str, token: str, notes: int) -> None:
    found = environment.access({"HF_TOKEN": new, "HUGGING_FACE_HUB_TOKEN": old})
    assert (found.token, len(found.notes)) == (token, notes)
    for note in found.notes:
        assert note == "note: HF_TOKEN and HUGGING_FACE_HUB_TOKEN are set and differ: HF_TOKEN is used"


@pytest.mark.parametrize("token", ["hf secret", "hf\nsecret", "hf\x1bsecret", "hf_sécret"])
@pytest.mark.parametrize("name", environment.TOKENS)
def test_a_token_that_no_header_takes_is_not_quoted(name: str, token: str) -> None:
    with pytest.raises(UsageError) as raised:
        environment.access({name: token})
    assert str(raised.value) == f"{name} has spaces or other characters that no token has"
