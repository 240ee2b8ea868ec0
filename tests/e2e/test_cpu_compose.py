"""The README's way without a card: its two compose files as they are, with a small model in their volume."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from baker.synthetic import tts_model
from baker.synthetic.answers import expected, speak
from tests import run
from tests.e2e.conftest import HARDENED, PROJECT, STT, TTS, listening, published, wait

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker.models.containers import Container

FILES = ("docker-compose.yml", "docker-compose.cpu.yml")
# Tests have no network, and a real cache would be complete: the client of the hub need not look for more.
NO_NETWORK = 'services:\n  tts:\n    environment: ["HF_HUB_OFFLINE=1"]\n'
BATCHES = ("hello world, it's me", "hello")
WORDS = ("hello", "world,", "it's", "me", "hello")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def tts(engine: Any, tmp_path: Any) -> Iterator[Container]:
    """The container that `docker compose -f … -f … up tts` started."""
    tts_model.write_cache(tmp_path / "huggingface")
    (tmp_path / "no-network.yml").write_text(NO_NETWORK)
    name = run.name("cpu")
    files = [f"--file={PROJECT / file}" for file in FILES] + [f"--file={tmp_path / 'no-network.yml'}"]
    environment = {**os.environ, "BAKER_TTS_PORT": f"127.0.0.1:{free_port()}"}

    def compose(*arguments: str) -> None:
        command = ["docker", "compose", f"--project-name={name}", *files, *arguments]
        subprocess.run(command, env=environment, check=True, capture_output=True)

    try:
        compose("create", "tts")
        volumes = {
            f"{name}_huggingface": {"bind": "/root/.cache/huggingface", "mode": "rw"},
            str(tmp_path / "huggingface"): {"bind": "/seed", "mode": "ro"},
        }
        copy = "cd /root/.cache/huggingface && cp --recursive --no-target-directory /seed . && chmod -R a+rX hub"
        engine.containers.run(STT, ["-c", copy], entrypoint="sh", user="0", volumes=volumes, remove=True)
        compose("up", "--detach", "tts")
        (found,) = engine.containers.list(all=True, filters={"label": f"com.docker.compose.project={name}"})
        yield found
    finally:
        compose("down", "--volumes", "--timeout=2")


def test_text_to_speech_speaks_on_the_cpu(tts: Container) -> None:
    assert asyncio.run(speak(published(tts), tts_model.DEFAULT_VOICE, BATCHES)) == expected(WORDS, "A")
    (line,) = [line for line in tts.logs().decode().splitlines() if line.startswith("moshi-server: run: ")]
    assert 'on the CPU, as asked for by --cpu, with device = "cpu" in /tmp/moshi-config.' in line
    wait(lambda: health(tts) == "healthy", tts)
    tts.reload()
    assert tts.attrs["RestartCount"] == 0


def health(container: Container) -> str:
    container.reload()
    return str(container.attrs["State"]["Health"]["Status"])


@pytest.mark.parametrize("setting", ["argument", "variable"])
def test_any_config_and_either_way(start: Any, models: Any, tmp_path: Any, setting: str) -> None:
    """A config of the user's own that says `cuda`, and cannot be changed."""
    text = (models / "tts/tts.toml").read_text().replace('device = "cpu"', 'device = "cuda:0" # the first card')
    (tmp_path / "own.toml").write_text(text)
    volumes = {
        str(models / "tts"): {"bind": "/models", "mode": "ro"},
        str(tmp_path / "own.toml"): {"bind": "/etc/own.toml", "mode": "ro"},
    }
    command = ["worker", "--config=/etc/own.toml", *(["--cpu"] if setting == "argument" else [])]
    environment = {"MOSHI_ACCEL": "cpu"} if setting == "variable" else {}
    with start(TTS, command, volumes=volumes, environment=environment, **HARDENED) as container:
        wait(lambda: listening(container), container)
        assert b'device = "cpu" in /tmp/moshi-config.' in container.logs()
        # Where the image's own health check holds the slot at that moment, its steps are the sign of life.
        code, said = container.exec_run(["/opt/baker/bin/moshi-health"])
        assert (code, said.startswith(b"healthy: /api/tts_streaming ")) == (0, True), said


def test_published_config_of_upstream(start: Any, models: Any, tmp_path: Any) -> None:
    """As delayed-streams-modeling has it: logs below $HOME, no log_folder for tts.py; any uid, a read-only root."""
    text = (models / "tts/tts.toml").read_text().replace('log_folder = "/tmp/unmute_logs"\n', "")
    (tmp_path / "own.toml").write_text(text.replace('"/tmp/unmute_logs"', '"$HOME/tmp/tts-logs"'))
    volumes = {
        str(models / "tts"): {"bind": "/models", "mode": "ro"},
        str(tmp_path / "own.toml"): {"bind": "/etc/own.toml", "mode": "ro"},
    }
    command = ["worker", "--config", "/etc/own.toml", "--cpu"]
    with start(TTS, command, volumes=volumes, user="12345", **HARDENED) as container:
        wait(lambda: listening(container), container)
        found = container.exec_run(["sh", "-c", "ls -d /tmp/tmp/tts-logs/log.tts.* /tmp/tmp/tts-service"])
        assert found.exit_code == 0, found.output
