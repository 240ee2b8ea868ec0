"""Speech to text: frames of sound go in, words with their times come out."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed

from baker.errors import EngineError
from baker.speech import wire
from baker.speech.wire import FRAME, FRAMES_A_SECOND, Server, Word

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from baker.speech.wire import Connection

PATH = "/api/asr-streaming"
SILENCE = [0.0] * FRAME
# Frames that the server has not answered yet: 10 s of sound.
WINDOW = 125


@dataclass(frozen=True, kw_only=True)
class Transcript:
    """What was heard. All times are in seconds.

    Attributes:
        words: in order.
        connected: from the call to `Ready`.
        audio: the length of the sound.
        worked: from the first frame to the answer that all was heard.
        lags: for each frame, from its sending to the server's step for it.
    """

    words: tuple[Word, ...]
    connected: float
    audio: float
    worked: float
    lags: tuple[float, ...]


@dataclass(kw_only=True)
class _Session:
    """One connection: what was sent and what came back. `moved` wakes up the sender."""

    told: Callable[[Word], None]
    words: list[Word] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    finished: int = 0
    done: bool = False
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, connection: Connection) -> None:
        async for message in connection.messages():
            self._take(message)
            if self.done:
                return

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "Word":
            self._finish(None)
            self.words.append(Word(text=message["text"], start=message["start_time"], stop=None))
        elif message["type"] == "EndWord":
            self._finish(message["stop_time"])
        elif message["type"] == "Step" and len(self.lags) < len(self.sent):
            self.lags.append(time.monotonic() - self.sent[len(self.lags)])
            self.moved.set()
        elif message["type"] == "Marker":
            self._finish(None)
            self.done = True
            self.moved.set()

    def _finish(self, stop: float | None) -> None:
        """Set the end of the last word, if it has none, and tell of it once."""
        if self.words and len(self.words) > self.finished:
            self.words[-1] = replace(self.words[-1], stop=stop)
            self.finished = len(self.words)
            self.told(self.words[-1])

    async def send(self, connection: Connection, frames: AsyncIterator[Sequence[float]], window: int) -> int:
        """Send all frames, the marker, and then silence until the marker comes back. Return the number of frames."""
        count = 0
        async for frame in frames:
            await self._audio(connection, frame, window)
            count += 1
        await connection.send("Marker", id=1)
        # The words of the last seconds come with what follows: the model hears before it writes.
        while not self.done:
            await self._audio(connection, SILENCE, WINDOW // 5)
        return count

    async def _audio(self, connection: Connection, frame: Sequence[float], window: int) -> None:
        while window and len(self.sent) - len(self.lags) >= window and not self.done:
            self.moved.clear()
            await self.moved.wait()
        self.sent.append(time.monotonic())
        await connection.send("Audio", pcm=list(frame))


async def transcribe(
    server: Server,
    frames: AsyncIterator[Sequence[float]],
    *,
    begin: Callable[[], Awaitable[object]] | None = None,
    told: Callable[[Word], None] = lambda _: None,
    window: int = WINDOW,
) -> Transcript:
    """Send sound and return what the server heard.

    Args:
        server: a speech-to-text server.
        frames: of 80 ms, FRAME samples each between -1 and 1 at RATE; whoever wants real time yields them at that pace.
        begin: is awaited once the server has given a slot.
        told: gets each word as soon as its end is known.
        window: how many frames may be without an answer; 0 is any number.

    Raises:
        BakerError: as wire.connect().
    """
    called = time.monotonic()
    async with wire.connect(server) as connection:
        connected = time.monotonic() - called
        if begin is not None:
            await begin()
        session, started = _Session(told=told), time.monotonic()
        reading = asyncio.create_task(session.read(connection))
        sending = asyncio.create_task(session.send(connection, frames, window))
        try:
            await asyncio.wait((reading, sending), return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and not isinstance(sending.exception(), ConnectionClosed):
                sending.result()
            await reading
            worked = time.monotonic() - started
            if not session.done:
                raise EngineError(f"{server.address} closed the connection; {wire.LOGS}")
            count = await sending
        finally:
            for task in (reading, sending):
                task.cancel()
            await asyncio.gather(reading, sending, return_exceptions=True)
        return Transcript(
            words=tuple(session.words),
            connected=connected,
            audio=count / FRAMES_A_SECOND,
            worked=worked,
            lags=tuple(session.lags[:count]),
        )
