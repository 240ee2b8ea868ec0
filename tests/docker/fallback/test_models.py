"""docs/fallback.md: models that are there, or are not."""

from __future__ import annotations

import pytest

from tests.docker.fallback.machine import L4, PROXY, Machine, card


def test_cache_not_writable(machine: Machine) -> None:
    start = machine.start("worker", "--config", "configs/asr.toml", env=card(L4, HF_HOME="/standins/empty"))
    said = ("/standins/empty", "uid 1000", "`chown -R 1000:1000`", "hf://org/asr/model.safetensors")
    start.refuses(49, "cache-not-writable", *said)


def test_full_cache_may_be_read_only(machine: Machine) -> None:
    env = card(L4, HF_HOME="/standins/cache", CUDA_CACHE_PATH="/standins/cache/jit/cuda")
    start = machine.start("worker", "--config", "configs/asr.toml", env=env)
    start.runs("/opt/baker/bin/moshi-server-cuda-80", notes=1)
    assert "compiled kernels go to /tmp/moshi-jit" in start.said[0]
    assert start.env["CUDA_CACHE_PATH"] == "/tmp/moshi-jit/cuda"


@pytest.mark.parametrize("env", [{}, {**PROXY, "HF_HUB_OFFLINE": "1"}], ids=["no network", "offline"])
def test_models_missing_and_no_network(machine: Machine, env: dict[str, str]) -> None:
    start = machine.start("worker", "--config=configs/two.toml", env=card(L4, **env))
    missing = "hf://org/tts/folder/tokenizer.model and 1 more"
    start.refuses(51, "models-missing", missing, "`baker models pull`", "one start with network")


def test_models_missing_with_network_is_the_servers_turn(machine: Machine) -> None:
    env = card(L4, **PROXY)
    start = machine.start("worker", "--config", "configs/two.toml", env=env)
    start.runs("/opt/baker/bin/moshi-server-cuda-80")


def test_login_of_a_mirror_is_not_printed(machine: Machine) -> None:
    env = card(L4, HF_ENDPOINT="https://somebody:hunter2@mirror.example:8443")
    start = machine.start("worker", "--config", "configs/two.toml", env=env)
    start.refuses(51, "models-missing", "https://mirror.example:8443 cannot be reached")
    assert "hunter2" not in start.said[0]


@pytest.mark.parametrize("name", ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"])
def test_snapshots_are_looked_for_where_python_keeps_them(machine: Machine, name: str) -> None:
    start = machine.start("worker", "--config", "configs/two.toml", env=card(L4, **{name: "/standins/voices"}))
    start.refuses(51, "models-missing", "hf://org/tts/folder/tokenizer.model; and")


@pytest.mark.parametrize(
    ("env", "xet"),
    [
        ({}, None),
        ({"HF_ENDPOINT": "https://huggingface.co/"}, None),
        ({"HF_ENDPOINT": "https://mirror.example"}, "1"),
        ({"HF_ENDPOINT": "https://mirror.example", "HF_HUB_DISABLE_XET": "0"}, "0"),
    ],
    ids=["hub", "hub by name", "mirror", "as asked"],
)
def test_a_mirror_is_used_for_every_request(machine: Machine, env: dict[str, str], xet: str | None) -> None:
    """Xet's servers are others, and stand in no mirror."""
    start = machine.start("worker", "--config", "configs/two.toml", env=card(L4, **PROXY, **env))
    start.runs("/opt/baker/bin/moshi-server-cuda-80")
    assert start.env.get("HF_HUB_DISABLE_XET") == xet
