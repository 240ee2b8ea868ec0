"""Podman of a Debian suite: with images and containers of its own, which are gone with it."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.engines import suites
from tests.engines.running import NAMESPACES, end, first_of, folders

if TYPE_CHECKING:
    from collections.abc import Iterator

HOLD = Path(__file__).with_name("podman.sh")
PACKAGES = ("podman", "crun", "netavark", "coreutils", "mount")
# Without control groups and a network nothing of the machine's is touched; health checks run in the container.
ALONE = ("--cgroups=disabled", "--network=none")


@dataclass(frozen=True, kw_only=True)
class Podman:
    """A podman to call. `pid` is the first process of its namespaces, `data` and `folder` are its own folders."""

    pid: int
    data: Path
    folder: Path

    def call(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a command of podman."""
        environment = {
            "PATH": "/usr/sbin:/usr/bin",
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "PODMAN_IGNORE_CGROUPSV1_WARNING": "1",
        }
        places = {"root": self.data, "runroot": self.folder / "run", "tmpdir": self.folder / "libpod"}
        return subprocess.run(
            [
                *("nsenter", f"--target={self.pid}", "--mount", "--pid"),
                *("env", "--ignore-environment", *(f"{name}={value}" for name, value in environment.items())),
                *("podman", "--cgroup-manager=cgroupfs", *(f"--{name}={place}" for name, place in places.items())),
                *argv,
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def said(self, *argv: str) -> str:
        """Run a command of podman that succeeds, and return what it printed."""
        done = self.call(*argv)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@contextmanager
def running(suite: str = "trixie") -> Iterator[Podman]:
    """Yield podman as root, with nothing in it. All of its containers end with the block, also after SIGKILL."""
    root = suites.with_packages(suite, *PACKAGES)
    with folders() as (data, folder):
        # What Debian's packages have in /etc/containers.
        config = folder / ".config/containers"
        config.mkdir(parents=True)
        (config / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        (config / "registries.conf").write_text("unqualified-search-registries = []\n")
        process = subprocess.Popen(
            [*NAMESPACES, "sh", str(HOLD), str(root)],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert process.stdout is not None
        with process.stdout:
            try:
                assert process.stdout.readline() == b"ready\n"
                (pid,) = first_of(process)
                yield Podman(pid=pid, data=data, folder=folder)
            finally:
                end(process)
