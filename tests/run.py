"""One run of the tests: all its workers share a name, and what they make in an engine is called after it."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from pathlib import Path

from baker.system import userfolder

# Workers of xdist, and all programs that tests start, inherit it.
VARIABLE = "BAKER_TEST_RUN"
RUN = os.environ.setdefault(VARIABLE, uuid.uuid4().hex[:8])
PREFIX = f"baker-test-{RUN}-"
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
# For what gets no name of ours, as anonymous volumes.
LABELS = {"dev.baker.test": RUN}
# What baker knows of layers that it has read, for the time of the run: it begins with what the user's knows.
CACHE = Path(tempfile.gettempdir(), f"{PREFIX}cache")


def share_cache() -> None:
    """Make that folder, which all programs of the run use."""
    before = userfolder.cache(os.environ)
    if before == CACHE:
        return
    CACHE.mkdir(exist_ok=True)
    os.environ[userfolder.VARIABLE] = str(CACHE)
    if before and before.is_dir():
        shutil.copytree(before, CACHE, dirs_exist_ok=True)


def name(what: str) -> str:
    """Return a name for something of this worker's in an engine."""
    return f"{PREFIX}{WORKER}-{what}"
