#!/usr/bin/env python3
"""Smoke test of moshi-server on this machine's card: it takes a driver, CUDA's libraries and Python 3.8 or newer.

  python3 run.py --cuda-libraries PATH    PATH has libcublas and the others, somewhere below: a venv, a toolkit
  python3 run.py --torch PATH             text-to-speech: PATH has torch with its CUDA, somewhere below: a venv
  python3 run.py --cpu --cuda-libraries PATH

It starts the baked binary through its start script twice, with empty and then with kept caches of compiled kernels,
asserts the words of a tiny model, and writes one JSON file.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import wire  # type: ignore[import-not-found] # they lie beside this file
from machine import (  # type: ignore[import-not-found]
    CUDA,
    card,
    driver_folder,
    fail,
    folder_of_torch,
    free_port,
    libraries,
    smi,
)

HERE = Path(__file__).resolve().parent
KEY = "public_token"


def check_torch(about: dict[str, Any], folder: str, environment: dict[str, str]) -> None:
    """Import torch as the server will, and end the test when it is another one than the image has."""
    wanted = f"torch {about['torch']} for Python {about['python']}"
    hint = f"`uv pip install torch=={about['torch']}` in an environment of Python {about['python']} has it"
    script = "import moshi.models, torch; print(torch.__version__)"
    program = str(HERE / "python/bin/python3")
    done = subprocess.run([program, "-c", script], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        fail(f"the torch in {folder} does not load, and {wanted} is needed: {said[-1]}; {hint}")
    found = done.stdout.strip()
    if found.partition("+")[0] != about["torch"]:
        fail(f"{folder} has torch {found}, and {wanted} is needed: {hint}")


class Server:
    """A run of the server, through the start script."""

    def __init__(self, about: dict[str, Any], environment: dict[str, str], work: Path, *, cpu: bool) -> None:
        self.port, self.log, self.path = free_port(), work / "log", str(about["path"])
        path = work / "model" / about["config"]
        command = ["bash", str(HERE / "root/app/start_moshi_server.sh"), "worker", "--config", str(path)]
        command += ["--addr", "127.0.0.1", "--port", str(self.port), *(["--cpu"] if cpu else [])]
        self.begun = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=environment, cwd=work, stdout=log, stderr=log)

    def ready(self, seconds: float) -> float:
        """Return the seconds from the start to Ready."""
        while True:
            if self.process.poll() is not None:
                fail(f"the server ended with {self.process.returncode}:\n{self.said()}")
            left = self.begun + seconds - time.monotonic()
            if left <= 0:
                fail(f"no Ready within {seconds:.0f} s:\n{self.said()}")
            with suppress(OSError):
                wire.ready(self.port, self.path, KEY, left)
                return time.monotonic() - self.begun
            time.sleep(0.05)

    def said(self) -> str:
        """Return the end of the log."""
        return self.log.read_text(errors="replace")[-3000:]

    def ask(self, question: dict[str, Any], seconds: float) -> list[str]:
        """Return the words of an answer; one that is not as it should be ends the test."""
        if question["audio"]:
            heard = list(wire.listen(self.port, question["audio"], KEY, seconds))
            if heard != question["words"]:
                words = " ".join(question["words"])
                fail(f"{question['audio']} gives {' '.join(heard) or 'nothing'}, where {words} belongs")
            return heard
        spoken = wire.speak(self.port, question["voice"], question["texts"], KEY, seconds)
        if spoken != question["spoken"]:
            expected = json.dumps(question["spoken"])
            fail(f"{question['voice']} says {json.dumps(spoken)}, where {expected} belongs:\n{self.said()}")
        return [str(word) for word, _ in spoken["words"]]

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
    about: dict[str, Any], environment: dict[str, str], work: Path, seconds: float, *, cpu: bool
) -> tuple[float, int, list[str]]:
    """Start the server once: return seconds to Ready, MiB of the card, and the words, which are as they should be."""
    server = Server(about, environment, work, cpu=cpu)
    try:
        took = server.ready(seconds)
        words = [word for question in about["asked"] for word in server.ask(question, seconds)]
        said = next((line for line in server.log.read_text(errors="replace").splitlines() if ": run: " in line), "")
        print(said)
        return took, server.memory(), words
    except OSError as error:
        fail(f"{error}:\n{server.said()}")
        raise
    finally:
        server.end()


def place_model(work: Path, *, cpu: bool) -> None:
    """Copy the model to where it runs: its files name each other, and its config the device."""
    shutil.copytree(HERE / "model", work / "model")
    for path in [*work.glob("model/*.json"), *work.glob("model/*.toml")]:
        text = path.read_text().replace("@MODEL@", str(work / "model")).replace("/tmp/unmute_logs", str(work / "logs"))
        path.write_text(text if cpu else text.replace('device = "cpu"', 'device = "cuda"'))


def size(folder: Path) -> int:
    """Return the bytes of all files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def embedded(packages: str, work: Path, driver: str) -> dict[str, str]:
    """Return the environment variables of the interpreter that the server embeds, with torch from a folder."""
    own = next(HERE.glob("python/lib/python3*/site-packages"))
    found = {
        "PATH": f"{HERE / 'python/bin'}:{os.environ.get('PATH', '')}",
        "PYTHONPATH": f"{own}:{packages}",
        "PYTHONPYCACHEPREFIX": str(work / "bytecode"),
        "TORCHINDUCTOR_CACHE_DIR": str(work / "inductor"),
        "TRITON_CACHE_DIR": str(work / "triton"),
    }
    if driver:
        found["TRITON_LIBCUDA_PATH"] = driver
    if not shutil.which("g++"):
        # torch.compile calls a compiler; without it a step takes longer.
        print("smoke: no g++ here: without torch.compile")
        found["NO_TORCH_COMPILE"] = "1"
    return found


def main() -> None:
    """Run the test."""
    about: dict[str, Any] = json.loads((HERE / "about.json").read_text())
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuda-libraries", action="append", default=[], metavar="PATH", help="repeatable")
    parser.add_argument("--torch", action="append", default=[], metavar="PATH", help="for text-to-speech; repeatable")
    parser.add_argument("--cpu", action="store_true", help="do without a card; nothing is measured then")
    parser.add_argument("--output", default="smoke.json", help="the result (default: smoke.json)")
    parser.add_argument("--seconds", type=float, default=600, help="patience for a start (default: 600)")
    options = parser.parse_args()
    packages = folder_of_torch(options.torch) if about["torch"] else ""
    folders = libraries(about["cuda_libraries"], [*options.cuda_libraries, *([packages] if packages else [])])
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
        place_model(work, cpu=options.cpu)
        if packages:
            environment.update(embedded(packages, work, driver))
            check_torch(about, packages, environment)
        first, memory, words = measure(about, environment, work, options.seconds, cpu=options.cpu)
        compiled = size(cache) if cache.exists() else 0
        kept, _, _ = measure(about, environment, work, options.seconds, cpu=options.cpu)
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
    print(f"smoke: Ready after {first:.2f} s with empty caches, {kept:.2f} s with kept ones")
    print(f"smoke: wrote {options.output}")


if __name__ == "__main__":
    main()
