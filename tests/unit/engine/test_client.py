"""The engine's client, with a stand-in for the SDK."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import docker
import pytest

from baker.engine import client
from baker.errors import EngineError


def listing(answers: list[Any]) -> client.Docker:
    """An engine whose list of images is one of the answers after the other; an error is raised."""

    def images(**_: Any) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    engine = client.Docker({})
    engine._sdk = SimpleNamespace(api=SimpleNamespace(images=images))
    return engine


def test_an_image_that_is_removed_during_the_listing_is_no_failure():
    gone = docker.errors.NotFound("content digest sha256:1: not found")
    found = [{"Labels": {"a": "1"}}, {"Labels": None}]
    assert listing([gone, gone, found]).labels("a") == ({"a": "1"}, {})


def test_a_listing_that_never_succeeds_is_one_line(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    gone = docker.errors.NotFound("content digest sha256:1: not found")
    with pytest.raises(EngineError, match="cannot list its images"):
        listing([gone] * 50).all_images()
