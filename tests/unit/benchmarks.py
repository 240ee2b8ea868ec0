"""A benchmark that has measured nothing yet, for tests that measure on."""

from __future__ import annotations

from baker.bench.startup.result import Result

EMPTY = Result(
    form="quick", base="debian", accel="cpu", crate="choose", previous="1.0.0", pinned="1.0.1", machine="2 cores"
)
