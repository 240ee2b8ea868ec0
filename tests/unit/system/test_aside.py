"""Work beside other work gives its result or its error, and keeps no program alive."""

from __future__ import annotations

import threading

import pytest

from baker.system.aside import aside


def test_it_runs_meanwhile():
    ready = threading.Event()
    given = aside(lambda: ready.wait(10))
    assert not given.done()
    ready.set()
    assert given.result() is True


def test_its_error_is_raised_where_the_result_is_asked_for():
    given = aside(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        given.result()


def test_a_program_that_fails_does_not_wait_for_it():
    assert aside(threading.current_thread).result().daemon
