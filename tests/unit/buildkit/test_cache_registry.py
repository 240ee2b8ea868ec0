"""What the refs of a registry cache are called."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from baker.buildkit import cache_registry
from baker.buildkit.progress import Progress, Stage
from baker.config.platforms import AMD64, ARM64


def reference(platform, cuda=""):
    plan: Any = SimpleNamespace(base="debian", cuda=cuda, platform=platform)
    return cache_registry.reference("registry.example.com/speech/cache/", "stt", plan)


def test_what_shares_no_layers_has_another_ref():
    assert reference(AMD64) == "registry.example.com/speech/cache:stt-debian-cpu"
    assert reference(AMD64, "12.4") == "registry.example.com/speech/cache:stt-debian-cuda12.4"
    assert reference(ARM64, "12.4") == "registry.example.com/speech/cache:stt-debian-cuda12.4-arm64"


def progress(imports, *, ran):
    found = Progress()
    found.imports = imports
    found.stages["toolchain"] = Stage(name="toolchain", steps=1, done={1}, ran=ran, texts={1: "RUN apt"})
    return found


RAN = {1: (0.0, 9.0)}
ONE = ("registry.example.com/cache",)


@pytest.mark.parametrize(
    ("found", "caches", "said"),
    [
        (progress({"a": "", "b": "b: not found"}, ran=RAN), ONE, "nothing in the cache registry.example.com/cache"),
        (progress({"a": "a: not found"}, ran=RAN), ONE, "could not be read, so that all was built here: a: not found"),
        (progress({"a": ""}, ran={}), ONE, ""),
        (progress({"a": "a: not found"}, ran={}), ONE, ""),
        (progress({}, ran=RAN), ONE, ""),
        (progress({"a": ""}, ran=RAN), (), ""),
    ],
)
def test_a_cache_that_served_nothing_is_told(found, caches, said):
    settings: Any = SimpleNamespace(cache_from=caches)
    told = cache_registry.unused(found, settings)
    assert said in told
    assert bool(told) is bool(said)
