"""A moshi-server that answers from memory. Source of its rules: batched_asr.rs and py_module.rs of moshi-server 0.6.4.

A speech-to-text slot answers `Init` with `Ready` and each frame with a `Step`; a marker comes back when the delay of
the model, six steps, has passed. A server without a slot sends an error and closes.
Text-to-speech says `Ready` at once.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import Any

import msgpack
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response

DELAY = 6


class Standin:
    """In place of the module websockets in baker.speech.wire."""

    def __init__(self, *, slots: int = 2, key: str = "public_token", words: tuple[str, ...] = ("hello", "world")):
        self.slots, self.key, self.words = slots, key, words
        self.urls: list[str] = []
        self.frames = 0
        self.steps_late = 0.0
        self.most = 0

    @asynccontextmanager
    async def connect(self, url: str, *, additional_headers: Any, **_: Any) -> Any:
        self.urls.append(url)
        if additional_headers["kyutai-api-key"] != self.key:
            raise InvalidStatus(Response(401, "Unauthorized", Headers()))
        socket = (_Listener if "asr" in url else _Speaker)(self)
        if self.slots == 0:
            socket.put({"type": "Error", "message": "no free channels"})
            socket.put(None)
            yield socket
            return
        self.slots -= 1
        self.most += 1
        socket.put({"type": "Ready"})
        try:
            yield socket
        finally:
            self.slots += 1


class _Socket:
    def __init__(self, server: Standin) -> None:
        self.server = server
        self.out: asyncio.Queue[Any] = asyncio.Queue()

    def put(self, message: Any) -> None:
        self.out.put_nowait(message)

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> bytes:
        message = await self.out.get()
        if message is None:
            raise StopAsyncIteration
        return bytes(msgpack.packb(message))

    async def send(self, raw: bytes) -> None:
        await self.take(msgpack.unpackb(raw))
        await asyncio.sleep(0)

    async def take(self, message: Any) -> None:
        raise NotImplementedError


class _Listener(_Socket):
    steps, marker = 0, 0

    async def take(self, message: Any) -> None:
        if message["type"] == "Marker":
            self.marker = self.steps + DELAY
            return
        assert len(message["pcm"]) == 1920
        self.server.frames += 1
        await asyncio.sleep(self.server.steps_late)
        self.steps += 1
        self.put({"type": "Step", "step_idx": self.steps, "prs": [0.0] * 4, "buffered_pcm": 0})
        if self.steps <= len(self.server.words):
            if self.steps > 1:
                self.put({"type": "EndWord", "stop_time": self.steps * 0.08})
            self.put({"type": "Word", "text": self.server.words[self.steps - 1], "start_time": self.steps * 0.08})
        if self.marker and self.steps == self.marker:
            self.put({"type": "Marker", "id": 1})


class _Speaker(_Socket):
    text = ""

    async def take(self, message: Any) -> None:
        if message["type"] == "Text":
            self.text += " " + message["text"]
            return
        for number, word in enumerate(self.text.split()):
            self.put({"type": "Text", "text": word, "start_s": number * 0.08, "stop_s": (number + 1) * 0.08})
            self.put({"type": "Audio", "pcm": [0.5] * 1920})
        self.put(None)
