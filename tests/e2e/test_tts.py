"""The text-to-speech image speaks: the real tts.py on a synthetic model, torch.compile on."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path

import pytest

from baker.synthetic import tts_model
from baker.synthetic.answers import Spoken, expected, speak
from tests import run
from tests.e2e.conftest import HARDENED, TTS, inside, listening, wait

WORDS = ("hello", "world,", "it's", "me", "hello")
BATCHES = ("hello world, it's me", "hello")
COMMAND = ["worker", "--config", "/models/tts.toml", "--cpu"]


@pytest.mark.parametrize(
    ("voice", "heard"),
    [
        (tts_model.DEFAULT_VOICE, "A"),
        (tts_model.OTHER_VOICE, "B"),
        ("no/such.wav", "A"),
    ],
)
def test_frames_words_and_times(tts, voice, heard):
    assert asyncio.run(speak(tts, voice, BATCHES)) == expected(WORDS, heard)


def test_two_clients_at_once(tts):
    """A server with one slot answers one after the other: then the two never overlap, whatever the number of tries."""

    async def both():
        first = speak(tts, tts_model.DEFAULT_VOICE, BATCHES, when=when[0])
        second = speak(tts, tts_model.OTHER_VOICE, ("hello me",), when=when[1])
        return await asyncio.gather(first, second)

    for _ in range(10):
        when: tuple[list[float], list[float]] = ([], [])
        assert asyncio.run(both()) == [expected(WORDS, "A"), expected(("hello", "me"), "B")]
        if max(when[0][0], when[1][0]) < min(when[0][-1], when[1][-1]):
            return
    pytest.fail("two clients were never served at the same time")


def test_a_second_start_finds_what_the_first_one_compiled(engine, start, models):
    volume = engine.volumes.create(labels=run.LABELS)
    volumes = {
        str(models / "tts"): {"bind": "/models", "mode": "ro"},
        volume.name: {"bind": "/root/.cache/huggingface", "mode": "rw"},
    }
    kept = []
    try:
        for _ in range(2):
            with start(TTS, COMMAND, volumes=volumes, **HARDENED) as container:
                wait(partial(listening, container), container)
                found = container.exec_run("find /root/.cache/huggingface/jit/inductor -name *.so -printf '%p %T@\\n'")
                assert found.exit_code == 0, found.output
                kept.append(sorted(found.output.decode().splitlines()))
    finally:
        volume.remove(force=True)
    assert kept[0], "torch.compile left nothing in the mount: did it run?"
    assert kept[1] == kept[0], "the second start compiled again"


def test_upstreams_config_with_a_cache_and_no_network(engine, start, tmp_path):
    """The image's own tts.toml and one line more: device = "cpu"."""
    home, config = tmp_path / "huggingface", tmp_path / "tts.toml"
    tts_model.write_cache(home)
    home.chmod(0o777)
    text = Path("services/tts/configs/tts.toml").read_text(encoding="utf-8")
    config.write_text(text.replace("[modules.tts_py.py]", '[modules.tts_py.py]\ndevice = "cpu"'), encoding="utf-8")
    volumes = {
        str(home): {"bind": "/root/.cache/huggingface", "mode": "rw"},
        str(config): {"bind": "/app/configs/cpu.toml", "mode": "ro"},
    }
    command = ["worker", "--config", "configs/cpu.toml", "--cpu"]
    environment = {"HF_HUB_OFFLINE": "1"}
    with start(TTS, command, volumes=volumes, environment=environment, network_mode="none", **HARDENED) as container:
        wait(lambda: listening(container), container)
        answer = json.loads(inside(engine, container, "--speak", *BATCHES))
    spoken = Spoken(
        frames=tuple(frame and tuple(frame) for frame in answer["frames"]),
        words=tuple(tuple(word) for word in answer["words"]),
        last_step=answer["last_step"],
    )
    assert spoken == expected(WORDS, "A")
