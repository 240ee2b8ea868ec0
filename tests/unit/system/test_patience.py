"""What passes is tried again, after pauses that grow and differ; nothing else is."""

from __future__ import annotations

import pytest

from baker.errors import BakerError
from baker.system.patience import patiently

PAUSES = (1.0, 5.0, 15.0)


def tried(*errors: str):
    """Fail with one of these errors at each try, then succeed; return the outcome, the pauses, and the errors left."""
    left = list(errors)
    said: list[float] = []
    waited: list[float] = []

    def work() -> str:
        if left:
            raise BakerError(left.pop(0))
        return "done"

    try:
        outcome = patiently(work, passes=("passes",), pauses=PAUSES, say=said.append, wait=waited.append)
    except BakerError as error:
        outcome = f"error: {error}"
    assert said == waited
    return outcome, waited, len(left)


@pytest.mark.parametrize("failures", range(len(PAUSES) + 1))
def test_it_is_tried_again_after_each_pause(failures):
    outcome, waited, left = tried(*[f"{number} passes" for number in range(failures)])
    assert (outcome, left) == ("done", 0)
    assert [0.5 <= found / pause <= 1.5 for found, pause in zip(waited, PAUSES, strict=False)] == [True] * failures


def test_the_last_error_is_raised():
    outcome, waited, left = tried("1 passes", "2 passes", "3 passes", "4 passes", "5 passes")
    assert (outcome, len(waited), left) == ("error: 4 passes", 3, 1)


def test_what_does_not_pass_is_raised_at_once():
    assert tried("no", "passes") == ("error: no", [], 1)
    outcome, waited, _ = tried("passes", "no", "passes")
    assert (outcome, len(waited)) == ("error: no", 1)


def test_two_that_fail_together_do_not_try_again_together():
    first, second = (tried("passes", "passes", "passes")[1] for _ in range(2))
    assert set(first).isdisjoint(second)
