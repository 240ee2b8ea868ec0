#!/usr/bin/env python3
"""Smoke test of moshi-server on this machine's card: it takes a driver, CUDA's libraries and Python 3.8 or newer.

  python3 run.py --cuda-libraries PATH    PATH has libcublas and the others, somewhere below: a venv, a toolkit
  python3 run.py --cpu --cuda-libraries PATH

It starts the baked binary through its start script twice, with an empty and then with a kept cache of compiled kernels,
asserts the words of a tiny model, and writes one JSON file.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import wire  # type: ignore[import-not-found] # it lies beside this file

HERE = Path(__file__).resolve().parent
KEY = "public_token"
EXPECTED = {"s5,q9,s5": ("hello",) * 3, "s5,l9": ("hello", "world", "world", "world")}
FIELDS = "name,compute_cap,driver_version"
CUDA = "libcuda.so.1"


def fail(why: str) -> None:
    """End the test with one line."""
    sys.exit(f"smoke: {why}")


def libraries(wanted: list[str], places: list[str]) -> list[str]:
    """Return the folders that have CUDA's libraries, below the given places; what is missing ends the test."""
    found: dict[str, str] = {}
    for place in places:
        for folder, _, files in sorted(os.walk(place, followlinks=True)):
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


class Server:
    """A run of the server, through the start script."""

    def __init__(self, environment: dict[str, str], work: Path, *, cpu: bool) -> None:
        self.port, self.log = free_port(), work / "log"
        config = (HERE / "model/stt.toml").read_text().replace("@MODEL@", str(HERE / "model"))
        (work / "stt.toml").write_text(config.replace("/tmp/unmute_logs", str(work / "logs")))
        command = ["bash", str(HERE / "root/app/start_moshi_server.sh"), "worker", "--config", str(work / "stt.toml")]
        command += ["--addr", "127.0.0.1", "--port", str(self.port), *(["--cpu"] if cpu else [])]
        self.begun = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=environment, cwd=work, stdout=log, stderr=log)

    def ready(self, seconds: float) -> float:
        """Return the seconds from the start to Ready."""
        while True:
            if self.process.poll() is not None:
                fail(
                    f"the server ended with {self.process.returncode}:\n{self.log.read_text(errors='replace')[-3000:]}"
                )
            left = self.begun + seconds - time.monotonic()
            if left <= 0:
                fail(f"no Ready within {seconds:.0f} s:\n{self.log.read_text(errors='replace')[-3000:]}")
            with suppress(OSError):
                wire.ready(self.port, KEY, left)
                return time.monotonic() - self.begun
            time.sleep(0.05)

    def memory(self) -> int:
        """Return MiB of the card that the server holds; 0 where nvidia-smi does not say."""
        listing = smi("--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits")
        found = [line.split(",") for line in listing.splitlines() if line.count(",") == 1]
        held = [size.strip() for pid, size in found if pid.strip() == str(self.process.pid)]
        return sum(int(size) for size in held if size.isdigit())

    def end(self) -> None:
        """End the server and wait for it."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def measure(
    environment: dict[str, str], work: Path, seconds: float, *, cpu: bool
) -> tuple[float, int, tuple[str, ...]]:
    """Start the server once: return seconds to Ready, MiB of the card, and the words, which are as they should be."""
    server = Server(environment, work, cpu=cpu)
    try:
        took = server.ready(seconds)
        heard: list[str] = []
        for audio, words in EXPECTED.items():
            found = wire.listen(server.port, audio, KEY, seconds)
            if found != words:
                fail(f"{audio} gives {' '.join(found) or 'nothing'}, where {' '.join(words)} belongs")
            heard += found
        said = next((line for line in server.log.read_text(errors="replace").splitlines() if ": run: " in line), "")
        print(said)
        return took, server.memory(), tuple(heard)
    finally:
        server.end()


def card() -> tuple[str, str, str]:
    """Return name, capability and driver of the first card, as nvidia-smi has them; ends the test without one."""
    lines = smi(f"--query-gpu={FIELDS}", "--format=csv,noheader").strip().splitlines()
    if not lines:
        fail("nvidia-smi shows no card: is a driver installed? --cpu tests all but the card")
    name, capability, driver = (part.strip() for part in lines[0].rsplit(",", 2))
    return name, capability, driver


def size(folder: Path) -> int:
    """Return the bytes of all files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Run the test."""
    about: dict[str, Any] = json.loads((HERE / "about.json").read_text())
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuda-libraries", action="append", default=[], metavar="PATH", help="repeatable")
    parser.add_argument("--cpu", action="store_true", help="do without a card; nothing is measured then")
    parser.add_argument("--output", default="smoke.json", help="the result (default: smoke.json)")
    parser.add_argument("--seconds", type=float, default=600, help="patience for a start (default: 600)")
    options = parser.parse_args()
    folders = libraries(about["cuda_libraries"], options.cuda_libraries)
    driver = driver_folder()
    if not driver and not options.cpu:
        fail(f"there is no {CUDA}: is a driver installed? --cpu tests all but the card")
    name, capability, version = ("", "", "") if options.cpu else card()
    stubs = [] if driver else [str(HERE / "root/opt/baker/stubs")]
    with tempfile.TemporaryDirectory(prefix="baker-smoke-") as folder:
        work, cache = Path(folder), Path(folder, "cuda")
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("MOSHI_", "HF_", "BAKER_"))},
            "BAKER_ROOT": str(HERE / "root"),
            "BAKER_SMOKE": str(HERE),
            "BAKER_SMOKE_LOADER": about["loader"],
            "BAKER_SMOKE_LIBRARIES": ":".join([str(HERE / "lib"), *folders, *([driver] if driver else []), *stubs]),
            "BAKER_VARIANT": "slim",
            "CUDA_CACHE_PATH": str(cache),
            "HF_HOME": str(work / "home"),
            "HOME": str(work),
        }
        first, memory, words = measure(environment, work, options.seconds, cpu=options.cpu)
        compiled = size(cache) if cache.exists() else 0
        kept, _, _ = measure(environment, work, options.seconds, cpu=options.cpu)
    result = {
        **{key: about[key] for key in ("format", "service", "crate", "cuda", "ptx")},
        "capability": about["capability"],
        "device": "cpu" if options.cpu else "cuda",
        "card": name,
        "card_capability": capability,
        "driver": version,
        "memory": memory,
        "words": words,
        "ready": {"empty": round(first, 2), "kept": round(kept, 2)},
        "day": dt.datetime.now(tz=dt.timezone.utc).date().isoformat(),
        "compiled_bytes": compiled,
        "nvidia_smi": smi(),
    }
    Path(options.output).write_text(json.dumps(result, indent=2) + "\n")
    print(result["nvidia_smi"], end="")
    print(f"smoke: {about['crate']}: the words are right, {' '.join(words)}")
    print(f"smoke: PTX {about['ptx']}; the driver compiled {compiled / 1e6:.1f} MB of it")
    print(f"smoke: Ready after {first:.2f} s with an empty cache, {kept:.2f} s with a kept one")
    print(f"smoke: wrote {options.output}")


if __name__ == "__main__":
    main()
