"""The compose files in docs/compose.md, over the project's own: compose makes of them what the page says."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```yaml\n# docker-compose\.override\.yml\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHOWN = dict(
    zip(
        ("config", "log level", "one card", "no reservation"),
        BLOCK.findall((ROOT / "docs/compose.md").read_text(encoding="utf-8")),
        strict=True,
    )
)


@pytest.fixture
def merged(tmp_path):
    """What `docker compose config` says of speech-to-text with another file over the project's."""

    def merge(text):
        over = tmp_path / "docker-compose.override.yml"
        over.write_text(text)
        files = [f"--file={ROOT / 'docker-compose.yml'}", f"--file={over}"]
        command = ["docker", "compose", *files, "config", "--format=json"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["services"]["stt"]

    return merge


def devices(service):
    return service["deploy"]["resources"]["reservations"]["devices"]


def test_a_mounted_config_leaves_the_other_volumes(merged):
    targets = [volume["target"] for volume in merged(SHOWN["config"])["volumes"]]
    assert targets == ["/root/.cache/huggingface", "/tmp/unmute_logs", "/app/configs/stt.toml"]


def test_the_log_level_is_an_argument(merged):
    assert merged(SHOWN["log level"])["command"][-2:] == ["--log", "debug"]


def test_one_card_in_place_of_all(merged):
    (card,) = devices(merged(SHOWN["one card"]))
    assert card["device_ids"] == ["1"]
    # That is why `!override` is there.
    assert len(devices(merged(SHOWN["one card"].replace(" !override", "")))) == 2


def test_a_reservation_can_be_taken_away(merged):
    assert not merged(SHOWN["no reservation"]).get("deploy")
