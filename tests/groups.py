"""How tests are shared out among xdist's workers: a module's go to one of them, which makes its fixtures once.

xdist has marks for groups, but version 3.8 loses them with pytest 9.2, which makes the ids of tests anew.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

# What takes longest is begun first, so that nobody waits for it at the end.
LONG = (
    "tests/e2e/test_publishing.py",
    "tests/docker/test_plan.py",
    "tests/docker/test_bench.py",
    "tests/docker/test_publish.py",
    "tests/docker/test_platforms.py",
    "tests/e2e/test_page",
    "tests/e2e/test_tts.py",
    "tests/docker/verify/test_images.py",
    "tests/docker/test_reproducible.py",
    "tests/docker/test_swarm.py",
    "tests/docker/test_publish_failures.py",
    "tests/docker/test_publish_rules.py",
    "tests/docker/test_install.py",
    "tests/docker/test_registry_cache.py",
    "tests/docker/test_remote.py",
    "tests/e2e/test_cpu_compose.py",
    "tests/e2e",
    "tests/docker/test_leftovers.py",
    "tests/docker/test_compile.py",
    "tests/docker/test_build_failures.py",
    "tests/docker/test_own_crate.py",
)
# Modules that share a server which takes long to start.
TOGETHER = ("tests/e2e/test_page",)
# Tests that share no fixture which takes long: the worker that is free takes the next one.
LOOSE = (
    "tests/docker/health",
    "tests/docker/test_install.py",
    "tests/docker/test_leftovers.py",
    "tests/docker/test_publish_rules.py",
    "tests/e2e/test_images.py",
    "tests/e2e/test_liveness.py",
    "tests/e2e/test_tts.py::test_a_second_start",
    "tests/e2e/test_tts.py::test_upstreams_config",
)


class Scheduling(LoadScopeScheduling):  # type: ignore[misc] # it has no types
    """Shares out groups."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def group(nodeid: str) -> str:
    """Return the group of a test."""
    if nodeid.startswith(LOOSE):
        return nodeid
    return next((shared for shared in TOGETHER if nodeid.startswith(shared)), nodeid.partition("::")[0])


def turn(nodeid: str) -> int:
    """Return when a test's group begins."""
    return next((place for place, long in enumerate(LONG) if nodeid.startswith(long)), len(LONG))
