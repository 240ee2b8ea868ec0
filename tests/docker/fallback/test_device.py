"""docs/fallback.md: the CPU is meant for the whole service, whatever the config says of Python's device."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from tests.docker.fallback.machine import L4, NO_DRIVER, TOP, Machine, card

if TYPE_CHECKING:
    from pathlib import Path

READER = "/opt/baker/bin/moshi-health"
TTS = ("worker", "--config", "/standins/tts.toml")
PY = "[modules.tts]\ntype = 'Py'\n[modules.tts.py]\nlog_folder = '/tmp/unmute_logs'\nvoice_folder = 'hf-snapshot://kyutai/tts-voices'\n"
ARRAYS = """
modules.t.type = 'Py' # [no]
[[modules.t.py.several]]
a = 1979-05-27 07:32:00Z
[[modules.t.py.several]]
b = 0x1F
"""
STRINGS = r"""
s = '''
"\ä'''
b = "\u00e9\t\\ \"#\" "
f = [inf, -1e3, +1_000.5, true]
[modules."q.\""]
type = 'Py'
"""


def config(tmp_path: Path, text: str) -> dict[str, dict[str, str]]:
    file = tmp_path / "tts.toml"
    file.write_text("log_dir = '/tmp/unmute_logs'\ninstance_name = 'tts'\nauthorized_ids = ['key']\n" + text)
    return {str(file): {"bind": "/standins/tts.toml", "mode": "ro"}}


@pytest.mark.parametrize("way", ["argument", "equals", "variable", "image"])
def test_server_gets_a_config_for_the_cpu(machine: Machine, tmp_path: Path, way: str) -> None:
    command = {
        "argument": (*TTS, "--cpu"),
        "equals": ("worker", "--cpu", "--config=/standins/tts.toml"),
    }.get(way, TTS)
    env = {**NO_DRIVER, "HTTPS_PROXY": "http://proxy:3128", **({"MOSHI_ACCEL": "cpu"} if way == "variable" else {})}
    volumes = config(tmp_path, PY + "device = 'cuda'\n")
    start = machine.start(*command, image="cpu" if way == "image" else "slim", env=env, volumes=volumes)
    start.runs(f"/opt/baker/bin/moshi-server-{'cpu' if way == 'image' else 'cuda-80'}", 'with device = "cpu" in /tmp/')
    found = re.search(r"/tmp/moshi-config\.\w+/tts\.toml", start.said[-1])
    assert found
    expected = {
        "argument": ["worker", "--config", found[0], "--cpu"],
        "equals": ["worker", "--cpu", f"--config={found[0]}"],
        "variable": ["worker", "--cpu", "--config", found[0]],
        "image": ["worker", "--config", found[0]],
    }
    assert start.args == expected[way]


@pytest.mark.parametrize("root", ["writable /tmp", "read-only", "nowhere"])
def test_place_of_the_config_for_the_cpu(machine: Machine, tmp_path: Path, root: str) -> None:
    """A server of the user's own shows which config it gets."""
    server = tmp_path / "show"
    server.write_text('#!/bin/bash\nwhile [[ $1 != --config ]]; do shift; done\nexec cat -- "$2"\n')
    server.chmod(0o755)
    volumes = {
        **config(tmp_path, PY + "device = 'cuda' # the card\nn_q = 24\n"),
        str(server): {"bind": "/standins/show", "mode": "ro"},
    }
    mounts = {"/tmp/unmute_logs": "mode=1777", "/root/.cache/huggingface": "mode=1777"}
    options: dict[str, Any] = {
        "writable /tmp": {},
        "read-only": {"read_only": True, "tmpfs": mounts},
        "nowhere": {"read_only": True, "tmpfs": {**mounts, "/dev/shm": "mode=0755"}},
    }[root]
    env = {**NO_DRIVER, "HTTPS_PROXY": "http://proxy:3128", "MOSHI_SERVER_BIN": "/standins/show"}
    start = machine.start(*TTS, "--cpu", env=env, volumes=volumes, **options)
    if root == "nowhere":
        start.refuses(56, "no-room-for-config", "/standins/tts.toml", 'device = "cpu"', "tmpfs at /tmp")
        return
    assert start.code == 0, start
    assert ("/dev/shm/moshi-config." in start.said[-1]) == (root == "read-only"), start
    given = tomllib.loads((tmp_path / "tts.toml").read_text())
    given["modules"]["tts"]["py"]["device"] = "cpu"
    assert tomllib.loads("\n".join(start.out)) == given


@pytest.mark.parametrize(
    "text",
    [
        PY + "device = 'cpu'\n",
        "[modules.asr]\ntype = 'BatchedAsr'\n",
        "[modules.own]\ntype = 'Py'\nscript = '/own.py'\n",
    ],
    ids=["says cpu", "no Python", "a script of the user's own"],
)
def test_config_that_needs_no_change_is_passed_on(machine: Machine, tmp_path: Path, text: str) -> None:
    env = {**NO_DRIVER, "HTTPS_PROXY": "http://proxy:3128"}
    start = machine.start(*TTS, "--cpu", env=env, volumes=config(tmp_path, text))
    start.runs("/opt/baker/bin/moshi-server-cuda-80", "on the CPU, as asked for by --cpu: ")
    assert start.args == [*TTS, "--cpu"]


def test_card_gets_the_config_as_it_is(machine: Machine, tmp_path: Path) -> None:
    env = card(L4, HTTPS_PROXY="http://proxy:3128")
    start = machine.start(*TTS, env=env, volumes=config(tmp_path, PY))
    start.runs("/opt/baker/bin/moshi-server-cuda-80")
    assert start.args == list(TTS)


@pytest.mark.parametrize(
    "text",
    [
        (TOP / "services/tts/configs/tts.toml").read_text(),
        (TOP / "services/stt/configs/stt.toml").read_text(),
        "modules = { 'a b' = { type = 'Py', py = { device = 'cuda', list = [1, { x = 'y' }] } } }\n",
        ARRAYS,
        STRINGS,
    ],
    ids=["tts", "stt", "inline", "arrays of tables", "strings"],
)
def test_copy_differs_in_the_device_alone(machine: Machine, tmp_path: Path, text: str) -> None:
    """Judged by Python's own reader of TOML."""
    (tmp_path / "a.toml").write_text(text)
    volumes = {str(tmp_path / "a.toml"): {"bind": "/standins/a.toml", "mode": "ro"}}
    shown = machine.start(READER, "config", "--cpu", "/standins/a.toml", volumes=volumes)
    assert shown.code == 0, shown
    expected = tomllib.loads(text)
    for module in expected.get("modules", {}).values():
        if module["type"] == "Py":
            module.setdefault("py", {})["device"] = "cpu"
    assert tomllib.loads("\n".join(shown.out)) == expected
