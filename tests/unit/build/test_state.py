"""One build at a time works in a project's state; who waits is told for whom."""

from __future__ import annotations

import os
import threading

from baker.build.state import held


def test_a_second_one_waits_and_says_for_whom(tmp_path):
    said: list[str] = []
    waiting, entered = threading.Event(), threading.Event()

    def say(text):
        said.append(text)
        waiting.set()

    def second():
        with held(tmp_path, say):
            entered.set()

    with held(tmp_path, said.append):
        other = threading.Thread(target=second)
        other.start()
        assert waiting.wait(10)
        assert not entered.is_set()
    assert entered.wait(10)
    other.join()
    assert said == [f"waiting: process {os.getpid()} builds in {tmp_path}"]


def test_one_after_the_other_says_nothing(tmp_path):
    said: list[str] = []
    for _ in range(2):
        with held(tmp_path / "new", said.append):
            pass
    assert said == []
