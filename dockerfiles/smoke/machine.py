"""What a smoke test finds on the machine: its card, its driver, and the libraries below a path."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

FIELDS = "name,compute_cap,driver_version"
CUDA = "libcuda.so.1"


def fail(why: str) -> NoReturn:
    """End the test with one line."""
    sys.exit(f"smoke: {why}")


def libraries(wanted: list[str], places: list[str]) -> list[str]:
    """Return the folders that have CUDA's libraries, below the given places; what is missing ends the test."""
    found: dict[str, str] = {}
    for place in places:
        # The server runs in a folder of its own: no path may be relative to this one.
        for folder, _, files in sorted(os.walk(Path(place).resolve(), followlinks=True)):
            for name in set(wanted) & set(files):
                # Stubs are for linking.
                if "stubs" not in Path(folder).parts:
                    found.setdefault(name, folder)
    missing = sorted(set(wanted) - set(found))
    if missing:
        fail(f"no {', '.join(missing)} below {', '.join(places) or 'nothing'}: name another path with --cuda-libraries")
    return sorted(set(found.values()))


def driver_folder() -> str:
    """Return the folder of the driver's libcuda.so.1; empty where there is none."""
    program = shutil.which("ldconfig", path=os.environ.get("PATH", "") + ":/sbin:/usr/sbin")
    listing = subprocess.run([program, "-p"], capture_output=True, text=True, check=False).stdout if program else ""
    known = re.findall(rf"^\s*{re.escape(CUDA)} \((?!.*\bi386\b).*=> (\S+)$", listing, re.MULTILINE)
    for path in [*known, f"/usr/lib/wsl/lib/{CUDA}"]:
        if Path(path).exists():
            return str(Path(path).parent)
    for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":"):
        if folder and Path(folder, CUDA).exists():
            return folder
    return ""


def smi(*arguments: str) -> str:
    """Return what nvidia-smi prints; empty where it is not there or fails."""
    program = shutil.which("nvidia-smi") or "/usr/lib/wsl/lib/nvidia-smi"
    try:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def folder_of_torch(places: list[str]) -> str:
    """Return the folder of site-packages that has torch, below the given places; where none has it the test ends."""
    for place in places:
        for folder, folders, _ in sorted(os.walk(Path(place).resolve(), followlinks=True)):
            if "torch" in folders and Path(folder, "torch/version.py").exists():
                return folder
    fail(f"no torch below {', '.join(places) or 'nothing'}: name another path with --torch")


def card() -> tuple[str, str, str]:
    """Return name, capability and driver of the first card, as nvidia-smi has them; ends the test without one."""
    lines = smi(f"--query-gpu={FIELDS}", "--format=csv,noheader").strip().splitlines()
    if not lines:
        fail("nvidia-smi shows no card: is a driver installed? --cpu tests all but the card")
    name, capability, driver = (part.strip() for part in lines[0].rsplit(",", 2))
    return name, capability, driver
