"""What tests need of an engine, and which of them are left out where it lacks that."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from baker.engine.client import Docker
from baker.errors import EngineError

if TYPE_CHECKING:
    from baker.engine.interface import EngineInfo

# The first whose BuildKit, 0.13, writes provenance, and one time for all files of an image.
OLDEST = 26
# What is left out on an engine that lacks something, and the tests of it.
NEWER = {
    "publishing": (
        "tests/docker/test_publish.py",
        "tests/docker/test_publish_failures.py",
        "tests/docker/test_publish_rules.py",
        "tests/docker/test_signing.py",
        "tests/docker/test_platforms.py::test_both_platforms_are_published_as_one_index",
        "tests/e2e/test_publishing.py",
    ),
    # They tell one story, in which images are published.
    "the commands of the docs": ("tests/docker/test_documented.py::test_a_command_of_the_pages",),
    "reproducible builds": ("tests/docker/test_reproducible.py",),
    "caches in registries": ("tests/docker/test_registry_cache.py",),
    "engines and builders elsewhere": (
        "tests/docker/test_remote.py",
        "tests/docker/test_wire.py",
        "tests/docker/test_cache_prune.py",
    ),
    "Swarm": ("tests/docker/test_swarm.py",),
    "ends of a run of tests": ("tests/docker/test_leftovers.py",),
}


def lacking(engine: EngineInfo) -> str:
    """Return what an engine lacks that tests need, or nothing where it has all."""
    if engine.podman:
        return "the engine here is podman"
    if int(engine.version.partition(".")[0]) < OLDEST:
        return f"the engine here is Docker {engine.version}, older than {OLDEST}"
    if not engine.containerd_store:
        return f"the engine here, Docker {engine.version}, does not keep images in containerd's store"
    return ""


def here() -> str:
    """Return what the engine of the environment lacks; nothing where none answers: the tests themselves say that."""
    with Docker(os.environ) as engine:
        try:
            return lacking(engine.describe())
        except EngineError:
            return ""


def newer(nodeid: str) -> bool:
    """Whether a test is left out on an engine that lacks something."""
    return any(nodeid.startswith(modules) for modules in NEWER.values())
