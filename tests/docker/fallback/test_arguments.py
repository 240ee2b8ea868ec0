"""docs/fallback.md: the command line, settings, and limits of the container."""

from __future__ import annotations

import re

import pytest

from tests.docker.fallback.machine import L4, SERVICE, TOP, WORKER, Machine, Outcome, cache, card


def test_arguments_pass_untouched(machine: Machine) -> None:
    odd = ["worker", "--config", "configs/local.toml", "--log", "a  b", "", 'it\'s "quoted"', "$HOME *", "\\n"]
    assert machine.start(*odd, env=card(L4)).args == odd


@pytest.mark.parametrize(
    "command", [("validate", "configs/asr.toml"), ("configs", "tts.py"), ("--help",), ("worker", "--help")]
)
def test_commands_that_compute_nothing_need_no_card(machine: Machine, command: tuple[str, ...]) -> None:
    start = machine.start(*command)
    assert (start.code, start.said) == (0, ()), start
    assert (start.binary, start.args) == ("/opt/baker/bin/moshi-server-cuda-80", list(command))


def test_commands_of_the_image(machine: Machine) -> None:
    assert machine.start("sh").code == 0
    assert machine.start("bash", "-c", 'printf "<%s>" "$@"; exit 7', "-", "a b", "c") == Outcome(
        code=7, out=("<a b><c>",), said=()
    )
    machine.start("wroker").refuses(127, "unknown-command", "wroker")


@pytest.mark.parametrize(
    "env",
    [
        {"MOSHI_ACCEL": "gpu"},
        {"MOSHI_SERVER_VERSION": "../x"},
        {"MOSHI_SERVER_FEATURES": "a;b"},
        {"MOSHI_CUDA_COMPAT": "yes"},
        {"MOSHI_CARD_WAIT": "0"},
    ],
)
def test_bad_settings(machine: Machine, env: dict[str, str]) -> None:
    machine.start(*WORKER, env=card(L4, **env)).refuses(44, "bad-setting", next(iter(env.values())))


def test_config_that_is_not_there(machine: Machine) -> None:
    start = machine.start("worker", "--config", "configs/none.toml", env=card(L4))
    start.refuses(53, "config-missing", "configs/none.toml", "/app")


def test_hardened_with_any_uid(machine: Machine, volume: str) -> None:
    start = machine.start(
        *WORKER,
        env=card(L4),
        user="12345",
        read_only=True,
        cap_drop=["ALL"],
        volumes=cache(volume),
        security_opt=["no-new-privileges"],
        tmpfs={"/tmp": "", "/tmp/unmute_logs": "mode=1777"},
    )
    start.runs("/opt/baker/bin/moshi-server-cuda-80")


def test_every_reason_is_documented() -> None:
    script = "\n".join(path.read_text() for path in (SERVICE / "start_moshi_server.sh", *SERVICE.glob("start/*.sh")))
    in_script = set(re.findall(r"\bdie (\d+) ([a-z-]+)", script))
    in_table = set(re.findall(r"\| (\d+) \| `([a-z-]+)` \|", (TOP / "docs/fallback.md").read_text()))
    assert in_script == in_table
    assert len({code for code, _ in in_script}) == len(in_script)
