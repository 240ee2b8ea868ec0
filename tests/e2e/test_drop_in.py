"""Upstream's compose file with other images: everything it mounts may stay mounted."""

from __future__ import annotations

import asyncio
import os
import subprocess

import pytest

from tests.e2e.conftest import HARDENED, STT, published
from tests.synthetic.clients import listen

COMPOSE = """
services:
  stt:
    image: {image}
    command: ["worker", "--config", "configs/stt.toml"]
    environment:
      - HUGGING_FACE_HUB_TOKEN=
      # Two lines more than upstream's: there is no card here, and the model is a small one.
      - MOSHI_ACCEL=cpu
    ports: ["127.0.0.1::8080"]
    volumes:
      - ./volumes/hf-cache:/root/.cache/huggingface
      - ./volumes/cargo-registry-stt:/root/.cargo/registry
      - ./volumes/stt-target:/app/target
      - ./volumes/uv-cache:/root/.cache/uv
      - ./models:/models
      - ./volumes/stt-logs:/tmp/unmute_logs
      - ./models/stt.toml:/app/configs/stt.toml
"""


@pytest.fixture
def upstream(tmp_path, models, engine):
    """Upstream's service with the baked image, up; the container."""
    subprocess.run(["cp", "-r", str(models / "stt"), str(tmp_path / "models")], check=True)
    (tmp_path / "docker-compose.yml").write_text(COMPOSE.format(image=STT))
    for folder in ("hf-cache", "stt-logs"):
        (tmp_path / "volumes" / folder).mkdir(parents=True)
        os.chown(tmp_path / "volumes" / folder, 1000, 1000)
    compose = ["docker", "compose", "--project-name", "baker-upstream"]
    subprocess.run([*compose, "up", "--detach"], cwd=tmp_path, check=True, capture_output=True)
    try:
        (found,) = engine.containers.list(all=True, filters={"label": "com.docker.compose.project=baker-upstream"})
        yield found
    finally:
        subprocess.run([*compose, "down", "--volumes"], cwd=tmp_path, check=True, capture_output=True)


def test_upstreams_compose_file(upstream):
    assert asyncio.run(listen(published(upstream), "s5,q9,s5")) == ("hello",) * 3


def test_two_replicas_share_a_cache(engine, start, models):
    volume = engine.volumes.create()
    volumes = {
        str(models / "stt"): {"bind": "/models", "mode": "ro"},
        volume.name: {"bind": "/root/.cache/huggingface", "mode": "rw"},
    }
    options = {**HARDENED, "volumes": volumes, "ports": {"8080": ("127.0.0.1", None)}}
    command = ["worker", "--config", "/models/stt.toml", "--cpu"]
    try:
        with start(STT, command, **options) as first, start(STT, command, **options) as second:
            for container in (first, second):
                assert asyncio.run(listen(published(container), "s5,q9,s5")) == ("hello",) * 3
    finally:
        volume.remove(force=True)


def test_a_cache_that_is_not_writable_is_said_in_one_line(start, tmp_path):
    tmp_path.chmod(0o755)
    volumes = {str(tmp_path): {"bind": "/root/.cache/huggingface", "mode": "rw"}}
    with start(STT, ["worker", "--config", "configs/stt.toml", "--cpu"], volumes=volumes) as container:
        assert container.wait(timeout=30)["StatusCode"] == 49
        log = container.logs().decode().strip()
    assert len(log.splitlines()) == 1, log
    assert "chown -R 1000:1000" in log
