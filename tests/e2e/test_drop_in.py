"""The images in place of others: a cache that containers share, and one that cannot be written."""

from __future__ import annotations

import asyncio

from baker.synthetic.answers import listen
from tests import run
from tests.e2e.conftest import HARDENED, STT, published


def test_two_replicas_share_a_cache(engine, start, models):
    volume = engine.volumes.create(labels=run.LABELS)
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
