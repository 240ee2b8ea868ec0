"""docs/fallback.md: configs as they are out there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.docker.fallback.machine import L4, PROXY, WORKER, Machine, card

if TYPE_CHECKING:
    from pathlib import Path

BINARY = "/opt/baker/bin/moshi-server-cuda-80"
OWN = ("worker", "--config", "/standins/own.toml")
HEAD = "static_dir = './static/'\ninstance_name = 'own'\nlog_dir = '/tmp/unmute_logs'\n"
KEYS = "authorized_ids = ['key']\n"
PY = "[modules.tts]\ntype = 'Py'\ntext_tokenizer_file = '/x'\n[modules.tts.py]\n"


def own(folder: Path, text: str) -> dict[str, dict[str, str]]:
    (folder / "own.toml").write_text(text)
    return {str(folder / "own.toml"): {"bind": "/standins/own.toml", "mode": "ro"}}


@pytest.mark.parametrize("name", ["stt-prod.toml", "tts-prod.toml"])
def test_config_of_another_deployment(machine: Machine, name: str) -> None:
    start = machine.start("worker", "--config", f"configs/{name}", env=card(L4))
    have = "(configs has asr.toml, local.toml, two.toml)"
    start.refuses(53, "config-missing", f"no configs/{name}", have, f"--volume ./{name}:/app/configs/{name}:ro")


def test_folder_in_place_of_a_config(machine: Machine) -> None:
    """Docker makes it when the file to mount is not on the host."""
    start = machine.start("worker", "--config", "/app/configs", env=card(L4))
    start.refuses(53, "config-missing", "/app/configs is a folder", "on the host")


def test_config_that_cannot_be_read(machine: Machine, tmp_path: Path) -> None:
    volumes = own(tmp_path, HEAD + KEYS)
    (tmp_path / "own.toml").chmod(0o600)
    machine.start(*OWN, env=card(L4), volumes=volumes).refuses(
        53, "config-missing", "uid 1000 cannot read", "chmod a+r"
    )


def test_names_in_comments_and_elsewhere_refuse_nothing(machine: Machine, tmp_path: Path) -> None:
    text = (
        HEAD + KEYS + "x = 'hf://no/such/file'\n[modules.asr] # was 'hf://no/such/file'\ntype = 'BatchedAsr'\n"
        "lm_model_file = '/models/a' # \"hf://no/such/file\"\ndtype_override = 'f32' # 'hf-snapshot://no/such'\n"
        "audio_tokenizer_file = '''/models/#''' # 'hf://no/such/file'\n"
    )
    machine.start(*OWN, env=card(L4), volumes=own(tmp_path, text)).runs(BINARY)


def test_config_that_is_no_toml_is_the_servers_to_refuse(machine: Machine, tmp_path: Path) -> None:
    start = machine.start(*OWN, env=card(L4), volumes=own(tmp_path, HEAD + "what is this\n"))
    start.runs(BINARY, notes=1)
    assert "/standins/own.toml: line 4: expected =" in start.said[0]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("authorized_ids = []\n", "authorized_ids in /standins/own.toml is empty: every client is turned away"),
        ("authorized_ids = []\nallow_anonymous = true\n", "moshi-server 0.6.4 does not know allow_anonymous"),
    ],
)
def test_nobody_can_connect(machine: Machine, tmp_path: Path, text: str, note: str) -> None:
    start = machine.start(*OWN, env=card(L4), volumes=own(tmp_path, HEAD + text))
    start.runs(BINARY, notes=1)
    assert note in start.said[0]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("voice_folder = '/voices'\n", ("there is no folder /voices,", "/standins/own.toml", "mount it")),
        ("voice_folder = '/app/configs/'\n", ("/app/configs/barack_demo.wav*,", "default_voice")),
        ("voice_folder = '/app/configs'\ndefault_voice = 'no*'\n", ("/app/configs/no**,", "default_voice")),
    ],
)
def test_voices_that_are_missing(machine: Machine, tmp_path: Path, table: str, said: tuple[str, ...]) -> None:
    start = machine.start(*OWN, env=card(L4), volumes=own(tmp_path, HEAD + KEYS + PY + table))
    start.refuses(57, "voices-missing", *said)


def test_voices_that_are_there(machine: Machine, tmp_path: Path) -> None:
    text = HEAD + KEYS + PY + "voice_folder = '/app/configs'\ndefault_voice = 'asr'\n"
    machine.start(*OWN, env=card(L4), volumes=own(tmp_path, text)).runs(BINARY)


@pytest.mark.parametrize(
    ("user", "options"),
    [("1000", {}), ("12345", {}), ("12345", {"read_only": True, "tmpfs": {"/tmp": "mode=1777"}})],
)
def test_logs_below_home(machine: Machine, tmp_path: Path, user: str, options: dict[str, Any]) -> None:
    """The published configs of delayed-streams-modeling log to $HOME/tmp/tts-logs, tts.py by default beside it."""
    text = HEAD.replace("/tmp/unmute_logs", "$HOME/tmp/tts-logs") + KEYS + PY
    script = f"/app/start_moshi_server.sh {' '.join(OWN)} && cd $HOME/tmp && ls -d tts-logs/log.own.* tts-service"
    env = card(L4, **PROXY)
    start = machine.start("bash", "-c", script, env=env, volumes=own(tmp_path, text), user=user, **options)
    assert start.code == 0, start
    assert start.out[-2].startswith("tts-logs/log.own.20"), start
    assert start.out[-1] == "tts-service"


def test_home_that_takes_no_logs(machine: Machine, tmp_path: Path) -> None:
    text = HEAD.replace("/tmp/unmute_logs", "$HOME/logs") + KEYS
    start = machine.start(*OWN, env=card(L4, HOME="/usr"), volumes=own(tmp_path, text))
    start.refuses(50, "log-not-writable", "there is no /usr/logs")


def test_shared_files_are_read_without_leaving_a_trace(machine: Machine) -> None:
    """Only a start on the CPU writes a copy of the config."""
    start = machine.start("bash", "-c", f"/app/start_moshi_server.sh {' '.join(WORKER)}; ls -A /tmp", env=card(L4))
    assert start.out[-1] == "unmute_logs", start
