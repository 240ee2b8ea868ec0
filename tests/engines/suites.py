"""Debian's suites, each with its Docker: their packages, unpacked in a folder of their own and installed nowhere."""

from __future__ import annotations

import logging
import os
import platform
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from baker.build import root_image
from baker.config import project
from tests.engines import network

if TYPE_CHECKING:
    from collections.abc import Sequence

_log = logging.getLogger(__name__)
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
HOOK = "/usr/share/mmdebstrap/hooks/merged-usr"
ENGINE = ("docker.io", "iptables", "kmod", "xz-utils")
# What start.sh is written with: an engine sees no other /usr.
SHELL = ("coreutils", "dash", "mount", "util-linux")
TOOLS = ("docker-cli", "docker-buildx", "docker-registry", "skopeo", "cosign", "passt")


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A suite of Debian's.

    Attributes:
        name: its name in the archive.
        docker: the version of its Docker engine.
        containerd_store: whether that keeps images in containerd's store when it is asked to.
        packages: what is unpacked.
        tools: the suite that buildx, skopeo, cosign and passt are taken from. Bookworm has no buildx and no cosign, and
            its passt does not carry what containers send.
    """

    name: str
    docker: str
    containerd_store: bool
    packages: tuple[str, ...]
    tools: str


SUITES = {
    "bookworm": Suite(
        name="bookworm", docker="20.10", containerd_store=False, packages=(*ENGINE, *SHELL), tools="trixie"
    ),
    "trixie": Suite(
        name="trixie",
        docker="26.1",
        containerd_store=True,
        packages=(*ENGINE, *SHELL, *TOOLS),
        tools="trixie",
    ),
    "sid": Suite(name="sid", docker="28", containerd_store=True, packages=(*ENGINE, *SHELL, *TOOLS), tools="sid"),
}


def cache() -> Path:
    """Return the folder that unpacked suites are kept in; whoever removes it has them fetched anew."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "baker-test-engines"


def lacking() -> str:
    """Return why no engine can be brought up here, or nothing where one can."""
    if os.geteuid():
        return "only root can bring up an engine"
    missing = [name for name in ("mmdebstrap", "nsenter", "setpriv", "unshare") if not shutil.which(name)]
    if missing:
        return f"{' and '.join(missing)} missing"
    for path in (KEYRING, "/dev/net/tun"):
        if not Path(path).exists():
            return f"there is no {path}"
    # Root in a container may not.
    attempt = ["unshare", "--mount", "--net", "--pid", "--fork", "true"]
    if subprocess.run(attempt, capture_output=True, check=False).returncode:
        return "namespaces cannot be made here"
    if network.local(network.RESOLVER) and not network.SERVERS.exists():
        return "names are asked of a server that only the machine's own network has"
    return ""


def unpacked(name: str) -> Path:
    """Return the folder with the packages of a suite's Docker; they are fetched when they are not there yet."""
    return _kept(name, name, SUITES[name].packages)


def with_packages(name: str, *packages: str) -> Path:
    """Return a folder with other packages of a suite, likewise."""
    return _kept(f"{name}-{'-'.join(packages)}", name, packages)


def _kept(folder_name: str, suite: str, packages: Sequence[str]) -> Path:
    folder = cache() / folder_name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            _unpack(suite, packages, folder)
    return folder


def _unpack(suite: str, packages: Sequence[str], folder: Path) -> None:
    """Fetch packages and unpack them; nothing of theirs is run."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    mirror = project.find(Path(__file__).parent).read_settings().mirrors.debian
    # A mirror of sid may be some weeks behind: its signature counts all the same.
    source = f"deb [check-valid-until=no signed-by={KEYRING}] {mirror} {suite} main"
    options = ["--quiet", "--mode=root", "--variant=extract", f"--hook-directory={HOOK}"]
    without = '--aptopt=Apt::Install-Recommends "0"'
    arguments = [*options, without, f"--include={','.join(packages)}", suite, str(part), source]
    root_image.mmdebstrap(arguments, os.environ, _log.warning)
    part.rename(folder)


def wrap(name: str, program: str, script: Path) -> None:
    """Write a script that runs a program of a suite with the C library of that suite, on a machine with any other."""
    wrap_in(unpacked(name), program, script)


def wrap_in(root: Path, program: str, script: Path) -> None:
    """Do that with a program of any unpacked packages."""
    (loader,) = {path.resolve() for path in root.glob("usr/lib*/ld-linux-*.so.*")}
    libraries = root / "usr/lib" / f"{platform.machine()}-linux-gnu"
    found = next(path for path in root.glob(f"usr/**/{program}") if os.access(path, os.X_OK) and path.is_file())
    argv = shlex.join([str(loader), "--library-path", str(libraries), str(found)])
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(f'#!/bin/sh\nexec {argv} "$@"\n')
    script.chmod(0o755)
