"""Which Rust crates have to compile with when they are pinned."""

from __future__ import annotations

import pytest

from baker.lock import update


@pytest.mark.parametrize(
    ("base", "rust"), [("debian", "1.85"), ("nvidia", "1.96.1"), ("auto", "1.85")], ids=["debian", "nvidia", "auto"]
)
def test_the_rust_of_a_base(base, rust):
    assert update._rust({"debian": {"rust": "1.85"}, "rust": {"toolchain": "1.96.1"}}, base) == rust


def test_debians_backports_count():
    pinned = {"debian": {"rust": "1.85", "rust-backports": "1.96"}, "rust": {"toolchain": "1.97.0"}}
    assert [update._rust(pinned, base) for base in ("debian", "nvidia", "auto")] == ["1.96", "1.97.0", "1.96"]


def test_a_lock_of_an_older_baker_may_say_one_of_them_only():
    assert update._rust({"debian": {}, "rust": {"toolchain": "1.96.1"}}, "auto") == "1.96.1"
    assert update._rust({"debian": {}, "rust": {}}, "debian") == ""
