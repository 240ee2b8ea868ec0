"""Compute capabilities: which there are, and which toolkit knows them."""

from __future__ import annotations

import pytest

from baker.config import cards, project
from baker.dockerfile import planner
from baker.errors import UsageError
from tests.unit import choices

CUDA = {"nvidia": "12.8", "debian": "12.4"}


@pytest.mark.parametrize(
    ("words", "numbers"),
    [(["8.0"], (80,)), (["90,7.5"], (75, 90)), (["12.0", "80"], (80, 120)), (["8.0", "80"], (80,))],
)
def test_capabilities(words, numbers):
    assert cards.parse_capabilities(words, "here") == numbers


@pytest.mark.parametrize(
    ("word", "message"),
    [
        *(
            (word, "is no compute capability from 7.0 on")
            for word in ("", "8", "6.1", "8.0.1", "-80", "1000", "8.\N{ARABIC-INDIC DIGIT ONE}")
        ),
        ("7.1", "that a CUDA toolkit knows; there are 7.0, 7.2, 7.5"),
        ("99.9", "that a CUDA toolkit knows"),
        ("sm_86", "an architecture; write it as in '8.6'"),
        ("compute_120", "an architecture; write it as in '12.0'"),
        ("9.0a", "one kind of card only.*write it as in '9.0'"),
        ("sm_100f", "one kind of card only.*write it as in '10.0'"),
    ],
)
def test_what_is_no_capability(word, message):
    with pytest.raises(UsageError, match=f"^--compute-cap: '{word}' .*{message}"):
        cards.parse_capabilities([word], "--compute-cap")


@pytest.mark.parametrize("version", ["12.7", "12.9.1", "13.0", "11.8"])
def test_a_toolkit_that_cudarc_refuses(version):
    with pytest.raises(UsageError, match=f"CUDA {version}.*12.4, 12.5, 12.6, 12.8 only"):
        cards.toolkit(version)


@pytest.mark.parametrize(
    ("base", "number", "message"),
    [
        ("debian", 120, "debian has CUDA 12.4.*--base nvidia has CUDA 12.8, which does; a binary for 9.0 runs"),
        ("debian", 100, "--base nvidia has CUDA 12.8"),
        ("debian", 121, "CUDA 12.9 does, with which moshi-server does not build; a binary for 9.0 runs"),
        ("nvidia", 121, "CUDA 12.9 does, with which moshi-server does not build; a binary for 12.0 runs"),
        ("nvidia", 103, "CUDA 12.9 does.*a binary for 10.1 runs"),
        ("nvidia", 110, "CUDA 13.0 does.*a binary for 10.1 runs"),
    ],
)
def test_a_capability_that_the_toolkit_does_not_know(base, number, message):
    with pytest.raises(UsageError, match=f"compute capability {number / 10}.*{message}"):
        cards.check([80, number], base, CUDA)


@pytest.mark.parametrize(("base", "numbers"), [("debian", (70, 75, 80, 90)), ("nvidia", (75, 100, 120))])
def test_capabilities_that_the_toolkit_knows(base, numbers):
    cards.check(numbers, base, CUDA)


def test_a_plan_asks_the_toolkit_of_its_base(tmp_path):
    found = project.find(tmp_path)
    choice = choices.choice(capabilities=(120,), link=False)
    services, mirrors = found.read_services(()), found.read_settings().mirrors
    with pytest.raises(UsageError, match=r"compute capability 12\.0: the base debian"):
        planner.make(services, found.read_pins(), mirrors, choice, found.services_folder)
