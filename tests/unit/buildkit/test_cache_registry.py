"""What the refs of a registry cache are called."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from baker.buildkit import cache_registry
from baker.config.platforms import AMD64, ARM64


def reference(platform, cuda=""):
    plan: Any = SimpleNamespace(base="debian", cuda=cuda, platform=platform)
    return cache_registry.reference("registry.example.com/speech/cache/", "stt", plan)


def test_what_shares_no_layers_has_another_ref():
    assert reference(AMD64) == "registry.example.com/speech/cache:stt-debian-cpu"
    assert reference(AMD64, "12.4") == "registry.example.com/speech/cache:stt-debian-cuda12.4"
    assert reference(ARM64, "12.4") == "registry.example.com/speech/cache:stt-debian-cuda12.4-arm64"
