"""The engine that the tests have chosen."""

from __future__ import annotations

import os

from tests.docker.here import ENGINE
from tests.engines import needs, session


def test_the_engine_has_all_or_the_run_says_what_it_lacks():
    lacks = needs.lacking(ENGINE.describe())
    assert os.environ.get(session.VARIABLE, "").startswith(lacks)
    assert bool(lacks) == (session.VARIABLE in os.environ)
