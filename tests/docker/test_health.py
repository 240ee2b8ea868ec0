"""The health probe against a stand-in whose loop lives, dies, stalls, or has all its slots taken.

The same cases were seen with the real moshi-server; the stand-in makes them quick and sure.
"""

from __future__ import annotations

import dataclasses
import re
import subprocess
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOP = Path(__file__).parents[2]
PROBE = "/opt/baker/bin/moshi-health"
KINDS = ("stt", "tts")


def docker(*argv: str) -> str:
    done = subprocess.run(["docker", *argv], check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"docker {' '.join(argv)}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Standin:
    """A running container with the stand-in and the probe."""

    name: str

    def probe(self, *options: str, patience: float = 1.5) -> tuple[int, str]:
        """Exit code and the one line of one probe."""
        argv = ["docker", "exec", self.name, PROBE, "--patience", str(patience), *options]
        done = subprocess.run(argv, check=False, capture_output=True, text=True)
        (line,) = done.stdout.splitlines()
        return done.returncode, line

    def listens(self) -> bool:
        code = "import socket; socket.create_connection(('127.0.0.1', 8080)).close()"
        argv = ["docker", "exec", self.name, "python3", "-c", code]
        return subprocess.run(argv, check=False, capture_output=True).returncode == 0

    def tell(self, shell: str) -> None:
        docker("exec", self.name, "sh", "-c", shell)

    def page(self, path: str) -> str:
        code = f"from urllib.request import urlopen; print(urlopen('http://127.0.0.1:8080{path}').read().decode())"
        return docker("exec", self.name, "python3", "-c", code)

    def used(self) -> int:
        found = re.search(r'"used_slots": "(\d+)"', self.page("/api/modules_info"))
        assert found
        return int(found[1])

    def connects(self) -> int:
        found = re.search(r"_connect\{.*\} (\d+)", self.page("/metrics"))
        assert found
        return int(found[1])

    def state(self, template: str) -> str:
        return docker("inspect", "--format", "{{" + template + "}}", self.name)


class Start(Protocol):
    """Starts a stand-in; by default waits until it listens."""

    def __call__(
        self, kind: str, *argv: str, run: tuple[str, ...] = (), entry: str = "", wait: bool = True
    ) -> Standin: ...


@pytest.fixture(scope="session")
def image(debian_root: str) -> Iterator[str]:
    tag = f"baker-test-health:{uuid.uuid4().hex[:8]}"
    dockerfile = str(Path(__file__).parent / "health/Dockerfile")
    root = ("--build-arg", f"ROOT={debian_root}")
    docker("buildx", "build", "--load", *root, "--target", "probed", "--tag", tag, "--file", dockerfile, str(TOP))
    yield tag
    docker("image", "rm", "--force", tag)


@pytest.fixture
def start(image: str) -> Iterator[Start]:
    names: list[str] = []

    def start(kind: str, *argv: str, run: tuple[str, ...] = (), entry: str = "", wait: bool = True) -> Standin:
        name = f"baker-test-health-{uuid.uuid4().hex[:8]}"
        names.append(name)
        # --init: as in the images, so that the server is not process 1 and a signal ends it.
        hardened = ("--init", "--read-only", "--tmpfs", "/tmp:mode=1777", "--cap-drop", "ALL", "--user", "12345")
        entrypoint = ("--entrypoint", entry) if entry else ()
        command = argv if entry else ("--config", f"configs/{kind}.toml", *argv)
        docker("run", "--detach", "--name", name, *hardened, *run, *entrypoint, image, *command)
        standin = Standin(name=name)
        if wait:
            until(standin.listens)
        return standin

    yield start
    if names:
        docker("rm", "--force", "--volumes", *names)


def until(happened: Callable[[], bool], within: float = 60) -> None:
    deadline = time.monotonic() + within
    while not happened():
        assert time.monotonic() < deadline, f"did not happen within {within} s"
        time.sleep(0.2)


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
    code, line = server.probe("--url", "http://127.0.0.1:8080")
    assert (code, line) == (1, "unhealthy: 127.0.0.1:8080/api/modules_info: /api/modules_info answers 404")


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
