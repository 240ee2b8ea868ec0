"""docs/health.md: a server that stays unhealthy is ended, and only that one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.docker.health.standin import until

if TYPE_CHECKING:
    from tests.docker.health.standin import Start


@pytest.mark.parametrize("option", ["flag", "variable"])
def test_dead_server_is_ended_after_some_failures(start: Start, option: str) -> None:
    options = ("--restart-after", "3") if option == "flag" else ()
    run = ("--env", "MOSHI_HEALTH_RESTART_AFTER=3") if option == "variable" else ()
    server = start("tts", run=run)
    server.tell("touch /tmp/die")
    time.sleep(0.2)
    for _ in range(2):
        assert server.probe(*options)[0] == 1
        assert server.state(".State.Status") == "running"
    assert server.probe(*options)[1].endswith("; 3 times in a row: server ended")
    until(lambda: server.state(".State.Status") == "exited")


def test_one_healthy_probe_makes_the_count_start_anew(start: Start) -> None:
    server = start("tts", "--clients", "2")
    for _ in range(3):
        server.tell("touch /tmp/stall")
        time.sleep(0.2)
        assert server.probe("--restart-after", "2", patience=0.5)[0] == 1
        server.tell("rm /tmp/stall")
        assert server.probe("--restart-after", "2")[0] == 0


def test_healthy_neighbour_leaves_the_count_alone(start: Start) -> None:
    """As with `ipc: host`: both see the same /dev/shm, and their servers may have the same number."""
    dead = start("tts", run=("--ipc", "shareable"))
    well = start("tts", run=("--ipc", f"container:{dead.name}"))
    dead.tell("touch /tmp/die")
    time.sleep(0.2)
    for _ in range(2):
        assert dead.probe("--restart-after", "3")[0] == 1
        assert well.probe("--restart-after", "3")[0] == 0
    assert dead.probe("--restart-after", "3")[1].endswith("; 3 times in a row: server ended")
    until(lambda: dead.state(".State.Status") == "exited")
    assert well.state(".State.Status") == "running"


@pytest.mark.parametrize("trap", ["ln -s /tmp/victim", "mkfifo", "mkdir"])
def test_count_is_kept_in_a_plain_file_alone(start: Start, trap: str) -> None:
    """A neighbour in the same /dev/shm may put something else there."""
    server = start("tts")
    server.tell("echo kept > /tmp/victim; touch /tmp/die")
    time.sleep(0.2)
    file = "/dev/shm/moshi-health.$(readlink /proc/self/ns/pid | tr -dc 0-9)"
    server.tell(f"{trap} {file}")
    code, line = server.probe("--restart-after", "2", patience=0.5)
    assert (code, "; cannot count in /dev/shm/moshi-health." in line) == (1, True), line
    server.tell("test $(cat /tmp/victim) = kept")
    assert server.state(".State.Status") == "running"
