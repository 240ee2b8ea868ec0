"""The clients of both services, against a stand-in that keeps the server's rules."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
import websockets

from baker.errors import EngineError, NetworkError, UsageError
from baker.speech import synthesis, transcription, wire
from baker.speech.wire import Server
from tests.unit.speech.standin import Standin

STT = Server(address="127.0.0.1:8090", path=transcription.PATH)
TTS = Server(address="wss://speech.example.com", path=synthesis.PATH)


@pytest.fixture
def standin(monkeypatch):
    found = Standin()
    monkeypatch.setattr(wire, "websockets", SimpleNamespace(connect=found.connect, exceptions=websockets.exceptions))
    return found


async def silence(count):
    for _ in range(count):
        yield [0.0] * wire.FRAME


def test_words_come_with_their_times_and_are_told_once(standin):
    told: list[wire.Word] = []
    heard = asyncio.run(transcription.transcribe(STT, silence(10), told=told.append))
    assert [(word.text, round(word.start, 2), word.stop) for word in heard.words] == [
        ("hello", 0.08, 0.16),
        ("world", 0.16, None),
    ]
    assert told == list(heard.words)
    assert heard.audio == 0.8
    assert len(heard.lags) == 10
    assert standin.urls == ["ws://127.0.0.1:8090/api/asr-streaming"]


def test_silence_is_sent_until_the_marker_comes_back(standin):
    asyncio.run(transcription.transcribe(STT, silence(3)))
    assert standin.frames >= 3 + 6


def test_a_source_that_fails_ends_it(standin):
    async def broken():
        yield [0.0] * wire.FRAME
        raise OSError("unplugged")

    with pytest.raises(OSError, match="unplugged"):
        asyncio.run(transcription.transcribe(STT, broken()))
    assert standin.slots == 2


def test_speech_has_frames_words_and_arrivals(standin):
    spoken = asyncio.run(synthesis.synthesize(TTS, ("good morning", "to you"), "a/b c.wav"))
    assert [word.text for word in spoken.words] == ["good", "morning", "to", "you"]
    assert (len(spoken.frames), spoken.audio) == (4, 0.32)
    assert list(spoken.arrivals) == sorted(spoken.arrivals)
    assert standin.urls == ["wss://speech.example.com/api/tts_streaming?format=PcmMessagePack&voice=a/b%20c.wav"]


@pytest.mark.parametrize(("arrivals", "late"), [((1.0, 1.08, 1.1), 0.0), ((1.0, 1.5, 1.6), 0.44), ((), 0.0)])
def test_lateness_is_how_long_a_player_would_wait(arrivals, late):
    spoken = synthesis.Speech(frames=((),) * len(arrivals), arrivals=arrivals, words=(), connected=0)
    assert spoken.lateness == pytest.approx(late)


def test_a_wrong_key(standin):
    standin.key = "secret"
    with pytest.raises(UsageError, match="refuses the key"):
        asyncio.run(transcription.transcribe(STT, silence(1)))


def test_no_slot(standin):
    standin.slots = 0
    with pytest.raises(wire.NoSlotError, match="batch_size"):
        asyncio.run(wire.once_there_is_room(lambda: transcription.transcribe(STT, silence(1)), 1))


def test_nobody_listens(monkeypatch):
    def refuse(*_, **__):
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(websockets, "connect", refuse)
    with pytest.raises(NetworkError, match=r"no moshi-server answers at 127\.0\.0\.1:8090"):
        asyncio.run(transcription.transcribe(STT, silence(1)))


def test_waiting_for_a_server_ends_when_that_is_in_vain(monkeypatch):
    def refuse(*_, **__):
        raise ConnectionRefusedError

    def ended():
        raise EngineError("it ended")

    monkeypatch.setattr(websockets, "connect", refuse)
    with pytest.raises(EngineError, match="it ended"):
        asyncio.run(wire.until_ready(STT, 60, ended))
    with pytest.raises(EngineError, match="said no `Ready` in 0 s"):
        asyncio.run(wire.until_ready(STT, 0.01))
