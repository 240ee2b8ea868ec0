"""docs/fallback.md: the token for Hugging Face."""

from __future__ import annotations

from typing import Any

import pytest

from tests.docker.fallback.machine import L4, PROXY, WORKER, Machine, cache, card, until_said

TOKEN, BLANK = "hf_secret", " "
SHOW_TOKEN = ("bash", "-c", "cd $HF_HOME && stat -c '%a %u' token && cat token")


@pytest.mark.parametrize("name", ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"])
def test_token_is_written_for_hf_hub(machine: Machine, volume: str, name: str) -> None:
    start = machine.start(*WORKER, env=card(L4, **{name: " hf_secret\n"}), volumes=cache(volume))
    start.runs("/opt/baker/bin/moshi-server-cuda-80")
    assert "hf_secret" not in "".join((*start.out, *start.said))
    assert machine.start(*SHOW_TOKEN, volumes=cache(volume)).out == ("600 1000", "hf_secret")


def test_token_from_a_file(machine: Machine, volume: str) -> None:
    env = {**card(L4), "HF_TOKEN": "", "HF_TOKEN_FILE": "/app/configs/token"}
    machine.start(*WORKER, env=env, volumes=cache(volume)).runs("/opt/baker/bin/moshi-server-cuda-80")
    assert machine.start(*SHOW_TOKEN, volumes=cache(volume)).out == ("600 1000", "hf_of_a_file")


def test_token_that_is_there_stays(machine: Machine, volume: str) -> None:
    for token, notes in (("hf_first", 0), ("hf_first", 0), ("hf_other", 1)):
        start = machine.start(*WORKER, env=card(L4, HF_TOKEN=token), volumes=cache(volume))
        start.runs("/opt/baker/bin/moshi-server-cuda-80", notes=notes)
        assert "hf_" not in "".join((*start.out, *start.said))
    assert "token holds another token" in start.said[0]
    assert machine.start(*SHOW_TOKEN, volumes=cache(volume)).out == ("600 1000", "hf_first")
    start = machine.start(*WORKER, env=card(L4, HF_TOKEN=token), volumes=cache(volume), user="12345")
    start.runs("/opt/baker/bin/moshi-server-cuda-80", notes=2)
    assert "uid 12345 cannot read" in start.said[0]


def test_no_token_is_fine(machine: Machine, volume: str) -> None:
    machine.start(*WORKER, env=card(L4, HF_TOKEN=""), volumes=cache(volume)).runs("/opt/baker/bin/moshi-server-cuda-80")
    assert machine.start("ls", "/root/.cache/huggingface", volumes=cache(volume)).out == ("hub", "jit")


@pytest.mark.parametrize(("other", "notes"), [("hf_secret", 0), ("hf_other", 1), (" ", 0)])
def test_both_names_of_the_token(machine: Machine, volume: str, other: str, notes: int) -> None:
    env = card(L4, HF_TOKEN=TOKEN, HUGGING_FACE_HUB_TOKEN=other)
    start = machine.start(*WORKER, env=env, volumes=cache(volume))
    start.runs("/opt/baker/bin/moshi-server-cuda-80", notes=notes)
    assert "hf_" not in "".join((*start.out, *start.said))
    assert notes == 0 or "HF_TOKEN is taken" in start.said[0]
    assert machine.start(*SHOW_TOKEN, volumes=cache(volume)).out == ("600 1000", "hf_secret")


def test_token_that_is_blank_is_none(machine: Machine, volume: str) -> None:
    env = card(L4, HF_TOKEN=BLANK, HUGGING_FACE_HUB_TOKEN=TOKEN)
    machine.start(*WORKER, env=env, volumes=cache(volume)).runs("/opt/baker/bin/moshi-server-cuda-80")
    assert machine.start(*SHOW_TOKEN, volumes=cache(volume)).out == ("600 1000", "hf_secret")


@pytest.mark.parametrize("root", ["writable", "read-only"])
def test_volume_at_the_models_alone(machine: Machine, volume: str, root: str) -> None:
    """Kyutai's swarm-deploy.yml mounts its cache so: models go into the volume, the token stays with the container."""
    options: dict[str, Any] = {"read_only": True, "tmpfs": {"/tmp": "mode=1777"}} if root == "read-only" else {}
    models = {volume: {"bind": "/root/.cache/huggingface/hub", "mode": "rw"}}
    home = "/tmp/moshi-huggingface" if root == "read-only" else "/root/.cache/huggingface"
    env = card(L4, HF_TOKEN=TOKEN, SERVER_STAYS="1", **PROXY)
    command = ("worker", "--config", "configs/two.toml")
    with machine.started(*command, env=env, volumes=models, **options) as container:
        until_said(container, f"env HF_HOME={home}")
        look = f"cat {home}/token && touch {home}/hub/new && ls /root/.cache/huggingface/hub"
        found = container.exec_run(["sh", "-c", look])
    assert (found.exit_code, found.output) == (0, f"{TOKEN}new\n".encode())
