"""Unmute's compose file and its file for Swarm, with other images: everything that they mount may stay mounted."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from baker.synthetic import tts_model
from baker.synthetic.answers import expected, listen, speak
from tests import run
from tests.e2e.conftest import HERE, PROJECT, STT, TTS, published

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from docker import DockerClient
    from docker.models.containers import Container

HUB = "/root/.cache/huggingface/hub"
TOKEN = "hf_of_these_tests"  # noqa: S105
WORDS = ("hello", "world,", "it's", "me", "hello")
BATCHES = ("hello world, it's me", "hello")


class Compose:
    """One of Unmute's files, in a folder of its own; what it starts is removed at the end."""

    def __init__(self, engine: DockerClient, folder: Path, file: str) -> None:
        self.engine, self.folder, self.name = engine, folder, run.name(f"unmute-{file.partition('-')[0]}")
        for name in (file, "here.yml"):
            shutil.copy(HERE / "unmute" / name, folder)
        self.command = ["docker", "compose", f"--project-name={self.name}", f"--file={file}", "--file=here.yml"]
        configs = PROJECT / "services/tts/configs"
        self.environment = {**os.environ, "HUGGING_FACE_HUB_TOKEN": TOKEN, "CONFIGS": str(configs)}

    def __call__(self, *arguments: str) -> None:
        command = [*self.command, *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def up(self, service: str) -> Container:
        self("up", "--detach", service)
        labels = [f"com.docker.compose.project={self.name}", f"com.docker.compose.service={service}"]
        (found,) = self.engine.containers.list(all=True, filters={"label": labels})
        return found


@pytest.fixture
def compose(engine: DockerClient, models: Path, tmp_path: Path) -> Iterator[Any]:
    """Take one of Unmute's files."""
    assert models.exists()
    made: list[Compose] = []

    def take(file: str) -> Compose:
        made.append(Compose(engine, tmp_path, file))
        return made[-1]

    yield take
    for item in made:
        item("down", "--volumes", "--timeout=2")


def test_docker_compose(compose: Any, tmp_path: Path) -> None:
    for folder in ("hf-cache", "stt-logs"):
        (tmp_path / "volumes" / folder).mkdir(parents=True)
        os.chown(tmp_path / "volumes" / folder, 1000, 1000)
    container = compose("docker-compose.yml").up("stt")
    assert asyncio.run(listen(published(container), "s5,q9,s5")) == ("hello",) * 3
    assert (tmp_path / "volumes/hf-cache/token").read_text().strip() == TOKEN


def test_swarm_deploy(compose: Any, engine: DockerClient, tmp_path: Path) -> None:
    """A volume at the cache's `hub` alone, both names of the token, and the configs of production."""
    unmute = compose("swarm-deploy.yml")
    tts_model.write_cache(tmp_path / "huggingface")
    unmute("create", "stt", "tts")
    volumes = {
        f"{unmute.name}_hf-cache": {"bind": HUB, "mode": "rw"},
        str(tmp_path / "huggingface/hub"): {"bind": "/seed", "mode": "ro"},
    }
    copy = f"cp --recursive --no-target-directory /seed {HUB} && chmod -R a+rX {HUB}"
    engine.containers.run(TTS, ["-c", copy], entrypoint="sh", user="0", volumes=volumes, remove=True)
    stt, tts = unmute.up("stt"), unmute.up("tts")
    assert asyncio.run(listen(published(stt), "s5,q9,s5")) == ("hello",) * 3
    assert asyncio.run(speak(published(tts), tts_model.DEFAULT_VOICE, BATCHES)) == expected(WORDS, "A")
    for container in (stt, tts):
        said = container.logs().decode()
        assert "HF_TOKEN" not in said
        assert TOKEN not in said
        found = container.exec_run(["sh", "-c", f"test -w {HUB} && cat ${{HF_HOME}}/token"])
        assert (found.exit_code, found.output.decode().strip()) == (0, TOKEN)


def test_a_config_that_only_unmutes_own_images_have(start: Any) -> None:
    with start(STT, ["worker", "--config", "configs/stt-prod.toml", "--cpu"]) as container:
        assert container.wait(timeout=30)["StatusCode"] == 53
        log = container.logs().decode().strip()
    assert len(log.splitlines()) == 1, log
    assert "(configs has stt.toml): mount the file" in log
