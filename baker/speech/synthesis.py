"""Text to speech: text goes in, frames of sound and the times of its words come out."""

from __future__ import annotations

import time
import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker.speech import wire
from baker.speech.wire import FRAMES_A_SECOND, NoSlotError, Server, Word

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

PATH = "/api/tts_streaming"
# Otherwise the server sends Ogg Opus, and no words.
QUERY = "?format=PcmMessagePack"


@dataclass(frozen=True, kw_only=True)
class Speech:
    """What was spoken. All times are in seconds.

    Attributes:
        frames: of 80 ms, FRAME samples each between -1 and 1 at RATE.
        arrivals: when each frame came, since the text was sent.
        words: in order, with their times in the sound.
        connected: from the call to `Ready`.
    """

    frames: tuple[Sequence[float], ...]
    arrivals: tuple[float, ...]
    words: tuple[Word, ...]
    connected: float

    @property
    def audio(self) -> float:
        """The length of the sound."""
        return len(self.frames) / FRAMES_A_SECOND

    @property
    def lateness(self) -> float:
        """How long the sound would have to wait for a frame, when it is played as soon as the first has come."""
        return max(
            (arrival - self.arrivals[0] - number / FRAMES_A_SECOND for number, arrival in enumerate(self.arrivals)),
            default=0.0,
        )


async def synthesize(
    server: Server,
    texts: Sequence[str],
    voice: str = "",
    *,
    begin: Callable[[], Awaitable[object]] | None = None,
    told: Callable[[Word], None] = lambda _: None,
) -> Speech:
    """Send text and return its sound.

    Args:
        server: a text-to-speech server.
        texts: what to say, in one message each.
        voice: the name of a voice; empty is the server's default.
        begin: is awaited once the server has given a slot.
        told: gets each word as it comes.

    Raises:
        BakerError: as wire.connect(); the server has no such voice.
    """
    called = time.monotonic()
    query = QUERY + (f"&voice={urllib.parse.quote(voice)}" if voice else "")
    async with wire.connect(server, query) as connection:
        connected = time.monotonic() - called
        if begin is not None:
            await begin()
        started = time.monotonic()
        for text in texts:
            await connection.send("Text", text=text)
        await connection.send("Eos")
        frames: list[Sequence[float]] = []
        arrivals: list[float] = []
        words: list[Word] = []
        async for message in connection.messages():
            if message["type"] == "Audio":
                arrivals.append(time.monotonic() - started)
                frames.append(message["pcm"])
            elif message["type"] == "Text":
                words.append(Word(text=message["text"], start=message["start_s"], stop=message["stop_s"]))
                told(words[-1])
    if not frames:
        raise NoSlotError(f"{server.address} sent no sound: all its slots are taken, or it has no voice {voice!r}")
    return Speech(frames=tuple(frames), arrivals=tuple(arrivals), words=tuple(words), connected=connected)
