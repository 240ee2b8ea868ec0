"""One run of the tests: all its workers share a name, and what they make in an engine is called after it."""

from __future__ import annotations

import os
import uuid

# Workers of xdist, and all programs that tests start, inherit it.
VARIABLE = "BAKER_TEST_RUN"
RUN = os.environ.setdefault(VARIABLE, uuid.uuid4().hex[:8])
PREFIX = f"baker-test-{RUN}-"
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
# For what gets no name of ours, as anonymous volumes.
LABELS = {"dev.baker.test": RUN}


def name(what: str) -> str:
    """Return a name for something of this worker's in an engine."""
    return f"{PREFIX}{WORKER}-{what}"
