"""Sound files and the microphone."""

from __future__ import annotations

import asyncio
import itertools
import math
import wave
from array import array

import miniaudio
import pytest

from baker.errors import EngineError, UsageError
from baker.speech.wire import FRAME, RATE
from baker.trial import audio


def write_wav(path, *, rate, channels, seconds=1.0):
    """Write a tone, the same in each channel, as other programs do."""
    samples = array("h")
    for number in range(round(rate * seconds)):
        samples.extend([round(8000 * math.sin(2 * math.pi * 440 * number / rate))] * channels)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.tobytes())


@pytest.mark.parametrize(("rate", "channels"), [(24000, 1), (44100, 2), (8000, 1)])
def test_any_rate_and_number_of_channels(tmp_path, rate, channels):
    write_wav(tmp_path / "tone.wav", rate=rate, channels=channels)
    samples = audio.read(tmp_path / "tone.wav")
    assert len(samples) == pytest.approx(RATE, rel=0.01)
    assert max(samples) == pytest.approx(8000 / 32768, rel=0.05)
    crossings = sum(after > 0 >= before for before, after in itertools.pairwise(samples))
    assert crossings == pytest.approx(440, abs=2)


def test_what_is_written_is_read_back(tmp_path):
    frames = [[0.25] * FRAME, [-2.0] * FRAME]
    audio.write(tmp_path / "out.wav", frames)
    samples = audio.read(tmp_path / "out.wav")
    assert len(samples) == 2 * FRAME
    assert samples[0] == pytest.approx(0.25, abs=1e-4)
    assert samples[-1] == pytest.approx(-1.0, abs=1e-3), "what is louder than loud is cut"


def test_a_file_that_is_no_sound(tmp_path):
    (tmp_path / "speech.wav").write_text("words")
    with pytest.raises(UsageError, match=r"speech\.wav cannot be read as WAV"):
        audio.read(tmp_path / "speech.wav")
    with pytest.raises(FileNotFoundError):
        audio.read(tmp_path / "none.wav")


def test_a_file_without_sound(tmp_path):
    write_wav(tmp_path / "empty.wav", rate=24000, channels=1, seconds=0)
    with pytest.raises(UsageError, match=r"empty\.wav"):
        audio.read(tmp_path / "empty.wav")


def test_the_last_frame_is_filled_up():
    first, last = audio.cut([0.5] * (FRAME + 1))
    assert first == [0.5] * FRAME
    assert last == [0.5] + [0.0] * (FRAME - 1)


def test_paced_frames_begin_again_and_keep_the_pace():
    async def collect():
        loop = asyncio.get_running_loop()
        began = loop.time()
        return [(frame[0], loop.time() - began) async for frame in audio.paced([1.0] * FRAME + [2.0] * FRAME, 0.4)]

    found = asyncio.run(collect())
    assert [value for value, _ in found] == [1.0, 2.0, 1.0, 2.0, 1.0]
    assert all(when >= number * 0.08 - 0.001 for number, (_, when) in enumerate(found))


def test_the_microphone_until_it_is_stopped():
    """Recorded from miniaudio's own device without hardware, which is silent."""

    async def record():
        stop = asyncio.Event()
        with audio.microphone(stop, [miniaudio.Backend.NULL]) as recorded:
            frames = []
            async for frame in recorded:
                frames.append(frame)
                if len(frames) == 2:
                    stop.set()
        return frames

    assert asyncio.run(record()) == [[0.0] * FRAME] * 2


def test_no_microphone_is_one_line(monkeypatch, capfd):
    def refuse(**_):
        raise miniaudio.MiniaudioError("failed to init device", -1)

    async def record():
        with audio.microphone(asyncio.Event()):
            raise AssertionError

    monkeypatch.setattr(miniaudio, "CaptureDevice", refuse)
    with pytest.raises(EngineError, match="no microphone can be opened here") as told:
        asyncio.run(record())
    assert "\n" not in str(told.value)
    assert capfd.readouterr().err == ""


def test_nothing_silent_is_taken_for_a_microphone():
    assert miniaudio.Backend.NULL not in audio.BACKENDS
    assert miniaudio.Backend.ALSA in audio.BACKENDS
