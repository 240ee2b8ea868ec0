"""`baker try` on the real images: on a service that runs, and on one that it starts and removes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from baker.synthetic.answers import expected, heard, tones
from baker.trial import audio
from tests.e2e.conftest import PROJECT, STT, TTS

SPOKEN = "hello world, it's me"


def baker(*argv, code=0):
    command = [sys.executable, "-m", "baker", "try", *argv, "-C", str(PROJECT)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.fixture
def sound(tmp_path):
    """A file in which the tiny model hears three words."""
    audio.write(tmp_path / "sound.wav", list(tones("s5,q9,s5")))
    return tmp_path / "sound.wav"


def test_a_file_is_transcribed(stt, sound):
    found = json.loads(baker("stt", str(sound), "--at", stt, "--json").stdout)
    assert [word["text"] for word in found["words"]] == ["hello"] * 3
    starts = [word["start"] for word in found["words"]]
    assert starts == sorted(starts)
    assert all(word["start"] < word["stop"] for word in found["words"][:-1])
    assert found["audio"] == pytest.approx(19 * 0.08)
    assert found["factor"] == pytest.approx(found["worked"] / found["audio"])
    assert found["ready"] is None


def test_a_text_is_spoken(tts, tmp_path):
    done = baker("tts", SPOKEN, "--at", tts, "--output", str(tmp_path / "out.wav"))
    assert [line.split()[-1] for line in done.stdout.splitlines()[:4]] == SPOKEN.split()
    assert "real-time factor" in done.stdout.splitlines()[-1]
    words = expected(tuple(SPOKEN.split()), "A")
    assert tuple(heard(frame) for frame in audio.cut(audio.read(tmp_path / "out.wav"))) == words.frames


@pytest.mark.parametrize(("service", "image", "words"), [("stt", STT, ["hello"] * 3), ("tts", TTS, SPOKEN.split())])
def test_a_service_is_started_for_it(sound, service, image, words):
    done = baker(service, str(sound) if service == "stt" else SPOKEN, "--synthetic", "--image", image, "--json")
    found = json.loads(done.stdout)
    assert [word["text"] for word in found["words"]] == words
    assert found["server"] == image
    assert found["ready"] > 0
    assert done.stderr == f"starting {image} on the CPU with a tiny synthetic model\n"


def test_more_streams_than_slots(stt):
    """The tiny model's config has two slots."""
    found = json.loads(baker("stt", "--streams", "3", "--seconds", "2", "--at", stt, "--json").stdout)
    assert (found["streams"], found["served"]) == (3, 2)
    assert 0 < found["median"] <= found["high"] <= found["late"]


def test_streams_of_speech(tts):
    done = baker("tts", SPOKEN, "--streams", "2", "--seconds", "1", "--at", tts)
    first, second = done.stdout.splitlines()
    assert "of 2 streams kept real time" in first
    assert second.startswith("from the text to the first sound: median ")


def test_a_wrong_key_is_one_line(stt, sound):
    done = baker("stt", str(sound), "--at", stt, "--key", "wrong", code=2)
    assert done.stderr == f"error: {stt} refuses the key: pass one of authorized_ids in its config with --key\n"
