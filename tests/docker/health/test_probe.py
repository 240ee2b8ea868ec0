"""The health probe against a stand-in whose loop lives, dies, stalls, or has all its slots taken.

The same cases were seen with the real moshi-server; the stand-in makes them quick and sure.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.docker.health.standin import KINDS, PROBE, until

if TYPE_CHECKING:
    from tests.docker.health.standin import Start


@pytest.mark.parametrize("kind", KINDS)
def test_idle_server_is_healthy_and_gets_its_slot_back(start: Start, kind: str) -> None:
    server = start(kind)
    for _ in range(5):
        code, line = server.probe()
        assert (code, line.split(":")[0], line.split()[-1]) == (0, "healthy", "answers")
        until(lambda: server.used() == 0)
    assert server.connects() == 5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("clients", [1, 2])
def test_busy_server_is_healthy_and_loses_no_slot(start: Start, kind: str, clients: int) -> None:
    server = start(kind, "--clients", str(clients))
    for _ in range(5):
        code, line = server.probe()
        assert (code, line.split(" ", 2)[2]) == (0, "makes steps")
    assert server.connects() == 0


@pytest.mark.parametrize(("kind", "sign"), [("stt", "is awake"), ("tts", "makes steps")])
def test_full_server_with_silent_clients_is_healthy(start: Start, kind: str, sign: str) -> None:
    server = start(kind, "--clients", "2", "--silent")
    code, line = server.probe()
    assert (code, line.split(" ", 2)[2]) == (0, sign)
    assert server.connects() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_loop_dead_from_the_start(start: Start, kind: str) -> None:
    server = start(kind, "-c", f"touch /tmp/die; exec python3 worker --config configs/{kind}.toml", entry="sh")
    for _ in range(4):
        code, line = server.probe()
        assert (code, line.split(":")[0]) == (1, "unhealthy")
    assert server.page("/api/build_info") == "{}"
    # TTS's counters tell once a slot is taken; STT's do not, so that its probes ask until the slots are used up.
    assert server.used() == {"stt": 2, "tts": 1}[kind]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("clients", [0, 1, 2])
def test_loop_that_dies_later(start: Start, kind: str, clients: int) -> None:
    server = start(kind, "--clients", str(clients))
    assert server.probe()[0] == 0
    server.tell("touch /tmp/die")
    time.sleep(0.2)
    code, line = server.probe()
    assert (code, line.split(":")[0]) == (1, "unhealthy")
    assert "makes no steps" in line or "its model loop is dead or stuck" in line


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("clients", [0, 2])
def test_long_step_is_waited_for(start: Start, kind: str, clients: int) -> None:
    server = start(kind, "--clients", str(clients))
    server.tell("touch /tmp/stall; (sleep 2; rm /tmp/stall) > /dev/null 2>&1 &")
    assert server.probe(patience=7)[0] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_key_that_is_not_accepted(start: Start, kind: str) -> None:
    other = f"sed 's/public_token/other/' configs/{kind}.toml > /tmp/other.toml"
    server = start(kind, "-c", f"{other}; exec python3 worker --config configs/{kind}.toml", entry="sh")
    code, line = server.probe("--config", "/tmp/other.toml")
    assert code == 0
    assert "is awake" in line
    assert "no key of the config is accepted (status 401)" in line
    server.tell("touch /tmp/die")
    time.sleep(0.2)
    code, line = server.probe("--config", "/tmp/other.toml")
    assert code == 1
    assert "no key of the config is accepted (status 401)" in line


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("authorized_ids = []", "the config authorizes no key"),
        ("authorized_ids = []\\nallow_anonymous = true", "no key of the config is accepted (status 401)"),
    ],
)
def test_config_without_keys(start: Start, keys: str, said: str) -> None:
    """moshi-server 0.6.4 does not know allow_anonymous; one that does would let the probe in without a key."""
    other = f"sed 's/^authorized_ids.*/{keys}/' configs/stt.toml > /tmp/other.toml"
    server = start("stt", "-c", f"{other}; exec python3 worker --config configs/stt.toml", entry="sh")
    code, line = server.probe("--config", "/tmp/other.toml")
    assert (code, f"is awake ({said}" in line) == (0, True), line
    server.tell("touch /tmp/die")
    time.sleep(0.2)
    code, line = server.probe("--config", "/tmp/other.toml")
    assert (code, said in line) == (1, True), line


def test_config_that_cannot_be_read_is_no_reason_to_restart(start: Start) -> None:
    server = start("stt")
    code, line = server.probe("--config", "/nowhere.toml")
    assert (code, "/nowhere.toml" in line) == (0, True)


def test_starting(start: Start) -> None:
    nothing = start("stt", "300", entry="sleep", wait=False)
    assert nothing.probe() == (1, "starting: there is no moshi-server process yet")
    loading = start("stt", "--load", "300", wait=False)
    until(lambda: loading.probe()[1] == "starting: nothing listens on 127.0.0.1:8080 yet", within=10)


def test_server_that_begins_to_listen_is_waited_for(start: Start) -> None:
    server = start("stt", "--load", "3", wait=False)
    code, line = server.probe(patience=30)
    assert (code, line.split()[-1]) == (0, "answers")


def test_port_is_read_from_the_command_line(start: Start) -> None:
    server = start("stt", "--port", "9000", wait=False)
    assert server.probe(patience=30)[0] == 0
    assert server.probe("--url", "http://127.0.0.1:9001", patience=0)[0] == 1


def test_what_is_no_server_is_unhealthy(start: Start) -> None:
    server = start("stt", "-m", "http.server", "8080", entry="python3")
    code, line = server.probe("--url", "http://127.0.0.1:8080", patience=30)
    assert (code, line) == (1, "unhealthy: 127.0.0.1:8080/api/modules_info: /api/modules_info answers 404")


def test_docker_sees_a_dead_loop_within_a_minute_and_leaves_a_busy_one_alone(start: Start) -> None:
    run = ("--health-cmd", PROBE, "--health-interval", "10s", "--health-timeout", "10s", "--health-retries", "3")
    dead = {kind: start(kind, run=run) for kind in KINDS}
    busy = {kind: start(kind, "--clients", "2", run=run) for kind in KINDS}
    stalled = start("tts", "--clients", "2", run=run)
    health = ".State.Health.Status"
    for server in (*dead.values(), *busy.values(), stalled):
        until(lambda server=server: server.state(health) == "healthy")  # type: ignore[misc]
    for server in dead.values():
        server.tell("touch /tmp/die")
    stalled.tell("touch /tmp/stall; (sleep 30; rm /tmp/stall) > /dev/null 2>&1 &")
    until(lambda: all(server.state(health) == "unhealthy" for server in dead.values()), within=60)
    for server in (*busy.values(), stalled):
        assert server.state(health) == "healthy"
    for server in busy.values():
        assert server.state(".State.Health.FailingStreak") == "0"
