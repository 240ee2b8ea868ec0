"""The client of a smoke test against a websocket server: tests of units open no connection."""

from __future__ import annotations

import asyncio
import importlib.util
import threading
from pathlib import Path

import msgpack
import pytest
import websockets

FILE = Path(__file__).parents[2] / "dockerfiles/smoke/wire.py"


@pytest.fixture(scope="module")
def wire():
    spec = importlib.util.spec_from_file_location("wire", FILE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def server():
    """A server that says a word for each loud frame and a frame for each text, in the pieces of a slow connection."""
    asked, port, loop = [], [], asyncio.new_event_loop()
    started = threading.Event()

    async def talk(socket):
        asked.append((socket.request.path, socket.request.headers.get("kyutai-api-key")))
        await socket.send(msgpack.packb({"type": "Ready"}))
        await socket.ping()
        async for raw in socket:
            message = msgpack.unpackb(raw)
            if message["type"] == "Marker":
                await socket.send(msgpack.packb({"type": "Step", "prs": [0.5] * 40000, "buffered": 1}))
                await socket.send(
                    [msgpack.packb({"type": "Marker", "id": 1})[:3], msgpack.packb({"type": "Marker", "id": 1})[3:]]
                )
            elif message["type"] == "Text":
                word = {"type": "Text", "text": message["text"], "start_s": 0.4, "stop_s": 0.56}
                await socket.send(msgpack.packb(word))
                for pcm in ([0.0] * 1920, ([-0.125] * 10 + [0.125] * 10) * 96):
                    await socket.send(msgpack.packb({"type": "Audio", "pcm": pcm}))
            elif message["type"] == "Eos":
                return
            elif max(message["pcm"]) > 0.5:
                await socket.send(msgpack.packb({"type": "Word", "text": "loud", "start_time": 0.0}))

    async def serve():
        async with websockets.serve(talk, "127.0.0.1", 0) as found:
            port.append(found.sockets[0].getsockname()[1])
            started.set()
            await stopped.wait()

    stopped = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    started.wait(10)
    yield port[0], asked
    loop.call_soon_threadsafe(stopped.set)
    thread.join(10)
    loop.close()


def test_it_listens_to_a_real_server(server, wire):
    port, asked = server
    assert wire.listen(port, "s1,l2,q1", "public_token", 20) == ("loud", "loud")
    assert asked == [("/api/asr-streaming", "public_token")]


def test_it_hears_what_a_real_server_speaks(server, wire):
    port, asked = server
    found = wire.speak(port, "a b/c.wav", ["x" * 40], "public_token", 20)
    assert found == {"frames": [None, [7, "A"]], "words": [["x" * 40, 5]], "last_step": 7}
    assert asked == [("/api/tts_streaming?format=PcmMessagePack&voice=a%20b/c.wav", "public_token")]
