"""A Docker engine of a Debian suite, running beside the machine's own one."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from tests import run
from tests.engines import suites

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

START = Path(__file__).with_name("start.sh")
PREFIX = "baker-test-engine-"
# Sockets have short paths there, and only root writes in it.
RUN = Path("/run")
CGROUPS = Path("/sys/fs/cgroup")
FIRST_PORT, LAST_PORT, PORTS = 20000, 29999, 128
PATIENCE = 60
NAMESPACES = ("setpriv", "--pdeathsig=KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A running engine.

    Attributes:
        host: its address, as for DOCKER_HOST.
        environment: the variables that make docker, buildx and skopeo of its suite those of a program.
        folder: the folder of its files.
        network: the file of its network, as for nsenter.
    """

    host: str
    environment: Mapping[str, str]
    folder: Path
    network: Path


@contextmanager
def running(
    name: str, *, port: int = 0, published: bool = True, config: Mapping[str, Any] | None = None
) -> Iterator[Engine]:
    """Run the Docker engine of a suite: empty, in a network of its own, and gone with the block.

    The machine's engine and its docker0 are not touched. The engine sees the machine's files, except for /usr. It ends
    with the thread that has started it, also after SIGKILL; the next engine removes what such an end has left.

    Args:
        name: the suite.
        port: a port on 127.0.0.1 that leads to the machine's, as a registry's without TLS.
        published: whether ports that containers publish are ports of the machine's 127.0.0.1.
        config: more for its daemon.json.
    """
    suite = suites.SUITES[name]
    root = suites.unpacked(name)
    with ExitStack() as stack:
        data, folder = stack.enter_context(folders())
        host = f"unix://{folder}/docker.sock"
        daemon = {
            "hosts": [host],
            "data-root": str(data),
            "exec-root": str(folder / "exec"),
            "pidfile": str(folder / "dockerd.pid"),
            "features": {"containerd-snapshotter": suite.containerd_store},
            "exec-opts": ["native.cgroupdriver=cgroupfs"],
            "cgroup-parent": f"/{folder.name}",
        }
        (folder / "daemon.json").write_text(json.dumps(daemon | dict(config or {})))
        environment = _environment(suite, folder, host)
        argv = [str(root), str(folder), _free_ports() if published else "none", str(port or "none")]
        log = stack.enter_context((folder / "log").open("wb"))
        process = subprocess.Popen(
            [*NAMESPACES, "sh", str(START), *argv],
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            # A run of the tests removes what it has left in its engine, and then ends it: see tests/leftovers.py.
            env={name: text for name, text in os.environ.items() if name != run.VARIABLE},
            # Ctrl-C is for the tests, which then end the engine.
            start_new_session=True,
        )
        stack.callback(end, process)
        _wait(process, environment, folder / "log")
        (first,) = first_of(process)
        network = Path(f"/proc/{first}/root{folder}/net")
        yield Engine(host=host, environment=environment, folder=folder, network=network)


@contextmanager
def folders() -> Iterator[tuple[Path, Path]]:
    """Yield two empty folders, for layers and for sockets; what a killed run has left goes: nobody holds its lock."""
    parent = suites.cache() / "data"
    parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        # Between the making of a folder and its lock, nobody else may look.
        with FileLock(f"{parent}.lock"):
            for old in parent.iterdir():
                with suppress(OSError), (old / "lock").open("wb") as held:
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    _remove(old)
            mine = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
            fcntl.flock(stack.enter_context((mine / "lock").open("wb")), fcntl.LOCK_EX)
        try:
            for folder in (mine / "docker", RUN / mine.name):
                folder.mkdir()
            yield mine / "docker", RUN / mine.name
        finally:
            _remove(mine)


def _remove(folder: Path) -> None:
    """Remove the layers, the sockets and the control groups of an engine that has ended."""
    shutil.rmtree(RUN / folder.name, ignore_errors=True)
    # One hierarchy of control groups, or one for each controller.
    for top in (*CGROUPS.glob(folder.name), *CGROUPS.glob(f"*/{folder.name}")):
        for path, _, _ in os.walk(top, topdown=False):
            with suppress(OSError):
                Path(path).rmdir()
    shutil.rmtree(folder, ignore_errors=True)


def _environment(suite: suites.Suite, folder: Path, host: str) -> dict[str, str]:
    """Put the programs of a suite into a folder, and return the variables that lead to them."""
    programs = folder / "programs"
    suites.wrap(suite.name, "docker", programs / "docker")
    for tool in ("skopeo", "cosign", "pasta"):
        suites.wrap(suite.tools, tool, programs / tool)
    suites.wrap(suite.tools, "docker-buildx", folder / "config/cli-plugins/docker-buildx")
    return {
        "DOCKER_HOST": host,
        "DOCKER_CONFIG": str(folder / "config"),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
    }


def _free_ports() -> str:
    """Return a range of ports that nobody uses, as passt wants it; workers of a run begin at different places."""
    worker = int("".join(filter(str.isdigit, run.WORKER)) or 0)
    count = (LAST_PORT - FIRST_PORT) // PORTS
    for step in range(count):
        first = FIRST_PORT + (os.getpid() + 7 * worker + step) % count * PORTS
        with ExitStack() as stack:
            try:
                for port in range(first, first + PORTS):
                    stack.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
            return f"127.0.0.1/{first}-{first + PORTS - 1}"
    raise AssertionError(f"no {PORTS} ports in a row are free between {FIRST_PORT} and {LAST_PORT}")


def _wait(process: subprocess.Popen[bytes], environment: Mapping[str, str], log: Path) -> None:
    """Return when the engine answers."""
    give_up = time.monotonic() + PATIENCE
    asked = ["docker", "version"]
    while subprocess.run(asked, env={**os.environ, **environment}, capture_output=True, check=False).returncode:
        assert process.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < give_up, log.read_text()[-3000:]
        time.sleep(0.1)


def first_of(process: subprocess.Popen[bytes]) -> list[int]:
    """Return the first process of the namespaces that NAMESPACES made; nothing when it has ended."""
    with suppress(OSError):
        return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    return []


def end(process: subprocess.Popen[bytes]) -> None:
    """End the engine and all that it runs: they are in one process namespace, and its first process ends last."""
    for pid in first_of(process):
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    process.wait()
