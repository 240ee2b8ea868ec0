"""Many streams at once, against a stand-in."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
import websockets

from baker.errors import EngineError, UsageError
from baker.speech import synthesis, transcription, wire
from baker.speech.wire import Server
from baker.trial import streams
from tests.unit.speech.standin import Standin

STT = Server(address="127.0.0.1:8090", path=transcription.PATH)
TTS = Server(address="127.0.0.1:8089", path=synthesis.PATH)


@pytest.fixture
def standin(monkeypatch):
    found = Standin(slots=3)
    monkeypatch.setattr(wire, "websockets", SimpleNamespace(connect=found.connect, exceptions=websockets.exceptions))
    monkeypatch.setattr(wire, "PAUSE", 0.001)
    return found


def test_all_streams_are_served_at_once(standin):
    load = asyncio.run(streams.listening(STT, [0.0] * wire.FRAME, 3, 0.2))
    assert (load.streams, load.served, load.kept) == (3, 3, 3)
    assert standin.most == 3
    assert 0 <= load.median <= load.high <= load.late


@pytest.mark.usefixtures("standin")
def test_who_gets_no_slot_is_counted():
    load = asyncio.run(streams.listening(STT, [0.0] * wire.FRAME, 5, 0.2))
    assert (load.streams, load.served) == (5, 3)


def test_a_server_that_is_too_slow_keeps_no_stream(standin, monkeypatch):
    monkeypatch.setattr(streams, "PATIENCE", 0.05)
    standin.steps_late = 0.1
    load = asyncio.run(streams.listening(STT, [0.0] * wire.FRAME, 2, 0.2))
    assert (load.served, load.kept) == (2, 0)
    assert load.high >= 0.1


def test_speaking_is_repeated_for_a_while(standin):
    load = asyncio.run(streams.speaking(TTS, "good morning", "", 4, 0.1))
    assert (load.streams, load.served, load.kept) == (4, 3, 3)
    assert standin.most > 3
    assert load.measured == "from the text to the first sound"


def test_no_slot_at_all(standin):
    standin.slots = 0
    with pytest.raises(EngineError, match="no stream got a slot"):
        asyncio.run(streams.listening(STT, [0.0] * wire.FRAME, 2, 0.1))


def test_what_is_wrong_with_all_is_told_once(standin):
    standin.key = "secret"
    with pytest.raises(UsageError, match="refuses the key"):
        asyncio.run(streams.listening(STT, [0.0] * wire.FRAME, 2, 0.1))


@pytest.mark.parametrize(("share", "value"), [(0.5, 5), (0.95, 10), (0.9, 9), (0.01, 1)])
def test_quantiles(share, value):
    assert streams.quantile(list(range(1, 11)), share) == value


def test_the_quantile_of_nothing():
    assert streams.quantile([], 0.5) == 0
