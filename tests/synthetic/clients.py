"""Websocket clients for both services, and what the synthetic models have to answer."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypeVar

import msgpack
import websockets

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

KEY = "public_token"
MEET_SECONDS = 60
RATE, FRAME, FRAMES_A_SECOND = 24000, 1920, 12.5
LOUDNESS = {"s": 0.0, "q": 0.1, "l": 0.8}
# Frames that bring the marker back: upstream's delay of 6 frames and the warm-up of the codec.
TRAILING = 25
PIECES = {"hello": (4, 5), "world,": (6, 7, 36), "it's": (8, 17, 28, 35, 27), "me": (8, 21, 13)}
# initial_padding and final_padding of tts.py, and its audio delay in steps
INITIAL, FINAL, DELAY = 2, 4, 2


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """What text-to-speech sent: (piece, voice) for each frame, None in silence; (word, step) for each word."""

    frames: tuple[tuple[int, str] | None, ...]
    words: tuple[tuple[str, int], ...]
    last_step: int


class TurnedAwayError(Exception):
    """The server closed the connection before it began: all its slots are taken."""


async def listen(address: str, audio: str, *, key: str = KEY, meet: asyncio.Barrier | None = None) -> tuple[str, ...]:
    """Send audio ("s5,q9,l3": silent, quiet and loud frames of 80 ms) and return the words.

    With `meet`, nothing is sent before as many clients as it waits for have a slot each.
    """
    return await _once_there_is_room(lambda: _listen(address, audio, key, meet))


async def speak(
    address: str, voice: str, batches: tuple[str, ...], *, key: str = KEY, when: list[float] | None = None
) -> Spoken:
    """Send text and return what was spoken; `when` gets the time of each frame, in seconds of a monotonic clock."""
    times: list[float] = [] if when is None else when
    return await _once_there_is_room(lambda: _speak(address, voice, batches, key, times))


async def _once_there_is_room(attempt: Callable[[], Awaitable[T]]) -> T:
    """Try again while the server turns us away.

    It has two slots here; that of a client who has just left is free again after the loop's next step, and the health
    probe takes one for some milliseconds.
    """
    for _ in range(50):
        try:
            return await attempt()
        except TurnedAwayError:
            await asyncio.sleep(0.1)
    return await attempt()


async def _listen(address: str, audio: str, key: str, meet: asyncio.Barrier | None) -> tuple[str, ...]:
    words: list[str] = []
    async with websockets.connect(
        f"ws://{address}/api/asr-streaming", additional_headers={"kyutai-api-key": key}
    ) as socket:
        # Ready comes from the model loop: the warm-up is over.
        async for raw in socket:
            if msgpack.unpackb(raw)["type"] == "Ready":
                break
        else:
            raise TurnedAwayError
        if meet is not None:
            async with asyncio.timeout(MEET_SECONDS):
                await meet.wait()
        sent = 0
        for part in f"{audio},m,s{TRAILING}".split(","):
            if part == "m":
                await socket.send(_packed({"type": "Marker", "id": 1}))
                continue
            for _ in range(int(part[1:])):
                await socket.send(_packed({"type": "Audio", "pcm": _tone(LOUDNESS[part[0]], sent)}))
                sent += FRAME
        async for raw in socket:
            message = msgpack.unpackb(raw)
            if message["type"] == "Word":
                words.append(message["text"])
            if message["type"] == "Marker":
                break
    return tuple(words)


async def _speak(address: str, voice: str, batches: tuple[str, ...], key: str, times: list[float]) -> Spoken:
    frames, words, last = [], [], 0.0
    url = f"ws://{address}/api/tts_streaming?format=PcmMessagePack&voice={voice}"
    async with websockets.connect(url, additional_headers={"kyutai-api-key": key}) as socket:
        try:
            for text in batches:
                await socket.send(_packed({"type": "Text", "text": text}))
            await socket.send(_packed({"type": "Eos"}))
        except websockets.exceptions.ConnectionClosed as closed:
            raise TurnedAwayError from closed
        async for raw in socket:
            message = msgpack.unpackb(raw)
            if message["type"] == "Audio":
                times.append(time.monotonic())
                frames.append(_heard(message["pcm"]))
            elif message["type"] == "Text":
                words.append((message["text"], round(message["start_s"] * FRAMES_A_SECOND)))
                last = message["stop_s"]
    if not frames:
        raise TurnedAwayError
    return Spoken(frames=tuple(frames), words=tuple(words), last_step=round(last * FRAMES_A_SECOND))


def expected(words: tuple[str, ...], voice: str) -> Spoken:
    """Return what the synthetic text-to-speech model has to answer; `voice` is A or B."""
    pieces: list[int | None] = [None] * (INITIAL - 2)
    times, step = [], INITIAL + 1
    for number, word in enumerate(words):
        # The server puts a silent piece before the first word.
        said = [*([None] if number == 0 else []), *PIECES[word]]
        pieces += [*said, None]
        times.append((word, step))
        step += len(said) + 1
    frames = [*pieces, *[None] * (INITIAL + FINAL)]
    return Spoken(
        frames=tuple((piece, voice) if piece is not None else None for piece in frames),
        words=tuple(times),
        last_step=len(frames) + DELAY + 2,
    )


def _packed(message: dict[str, object]) -> bytes:
    return bytes(msgpack.packb(message, use_bin_type=True, use_single_float=True))


def _tone(loudness: float, start: int) -> list[float]:
    return [loudness * math.sin(2 * math.pi * 440 * (start + sample) / RATE) for sample in range(FRAME)]


def _heard(frame: list[float]) -> tuple[int, str] | None:
    """Read piece and voice back from a frame: a square wave's height and its rising edges."""
    assert len(frame) == FRAME
    top = max(frame)
    if top < 1e-3:
        assert min(frame) > -1e-3
        return None
    assert abs(min(frame) + top) < 1e-3
    edges = sum(after > 0 >= before for after, before in zip(frame[1:], frame, strict=False))
    return round(top * 64) - 1, {95: "A", 96: "A", 15: "B", 16: "B"}[edges]


def main() -> None:
    """Be a client from inside a container: print the answer as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--listen", metavar="AUDIO")
    parser.add_argument("--speak", nargs="+", metavar="TEXT")
    parser.add_argument("--voice", default="unmute-prod-website/default_voice.wav")
    options = parser.parse_args()
    if options.listen:
        print(json.dumps(asyncio.run(listen(options.address, options.listen))))  # noqa: T201 - this is its answer
    else:
        spoken = asyncio.run(speak(options.address, options.voice, tuple(options.speak)))
        print(json.dumps(asdict(spoken)))  # noqa: T201


if __name__ == "__main__":
    main()
