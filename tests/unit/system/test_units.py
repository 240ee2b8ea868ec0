"""Sizes, ages and durations as people write them."""

from __future__ import annotations

import pytest

from baker.errors import UsageError
from baker.system import units


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0B", 0),
        ("7 B", 7),
        ("4.096kB", 4096),
        ("500MB", 500_000_000),
        ("1.35 GB", 1_350_000_000),
        ("20GB", 20_000_000_000),
        ("2 TB", 2_000_000_000_000),
    ],
)
def test_sizes(text: str, count: int) -> None:
    assert units.size(text, "--keep") == count


@pytest.mark.parametrize(
    "text",
    ["", "much", "20", "GB", "-5 GB", "inf GB", "nan GB", "1e3 GB", "1.2.3 GB", "1  GB", "1 XB", "٣ GB", "1B\n"],
)
def test_words_that_are_no_size(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        units.size(text, "x.toml budget")
    assert str(raised.value) == f"x.toml budget: {text!r} is no size; write it as in '1.35 GB'"


@pytest.mark.parametrize(("text", "hours"), [("0h", 0), ("12h", 12), ("7d", 168), ("2w", 336), ("90m", 1.5)])
def test_ages(text: str, hours: float) -> None:
    assert units.age(text, "--older-than") == hours


@pytest.mark.parametrize("text", ["", "a week", "7", "-1d", "1.5h", "²d", "7d\n"])
def test_words_that_are_no_age(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        units.age(text, "--older-than")
    assert str(raised.value) == f"--older-than: {text!r} is no age; write it as in '12h', '7d' or '2w'"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.25, "0.2 s"), (59.4, "59.4 s"), (61, "1 min 01 s"), (3600, "60 min 00 s")]
)
def test_durations(seconds: float, text: str) -> None:
    assert units.duration(seconds) == text
