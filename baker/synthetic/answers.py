"""What the synthetic models are told, and what they have to answer; the client is baker.speech's."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from baker.speech import synthesis, transcription
from baker.speech.wire import FRAME, FRAMES_A_SECOND, KEY, RATE, Server, once_there_is_room
from baker.synthetic import tts_model

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

MEET_SECONDS = 60
LOUDNESS = {"s": 0.0, "q": 0.1, "l": 0.8}
PIECES = {"hello": (4, 5), "world,": (6, 7, 36), "it's": (8, 17, 28, 35, 27), "me": (8, 21, 13)}
# initial_padding and final_padding of tts.py, and its audio delay in steps
INITIAL, FINAL, DELAY = 2, 4, 2


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """What text-to-speech sent: (piece, voice) for each frame, None in silence; (word, step) for each word."""

    frames: tuple[tuple[int, str] | None, ...]
    words: tuple[tuple[str, int], ...]
    last_step: int


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a model is told once, and what it has to answer.

    Attributes:
        audio: sound for speech-to-text, as tones() takes it; empty for text-to-speech.
        voice: the name of the voice of text-to-speech.
        texts: what is said, in one message each.
        words: what is heard, or is said to be spoken.
        spoken: the frames of text-to-speech with the steps of its words.
    """

    audio: str = ""
    voice: str = ""
    texts: tuple[str, ...] = ()
    words: tuple[str, ...]
    spoken: Spoken | None = None


async def listen(address: str, audio: str, *, key: str = KEY, meet: asyncio.Barrier | None = None) -> tuple[str, ...]:
    """Send sound as tones() makes it and return the words.

    With `meet`, nothing is sent before as many clients as it waits for have a slot each.
    """

    async def begin() -> None:
        if meet is not None:
            async with asyncio.timeout(MEET_SECONDS):
                await meet.wait()

    server = Server(address=address, path=transcription.PATH, key=key)
    found = await once_there_is_room(lambda: transcription.transcribe(server, frames(tones(audio)), begin=begin))
    return tuple(word.text for word in found.words)


async def speak(
    address: str, voice: str, batches: tuple[str, ...], *, key: str = KEY, when: list[float] | None = None
) -> Spoken:
    """Send text and return what was spoken; `when` gets the time of each frame, in seconds of the loop's clock."""
    server = Server(address=address, path=synthesis.PATH, key=key)
    spoken, began = await once_there_is_room(lambda: _timed(server, batches, voice))
    if when is not None:
        when += [began + arrival for arrival in spoken.arrivals]
    return Spoken(
        frames=tuple(heard(frame) for frame in spoken.frames),
        words=tuple((word.text, round(word.start * FRAMES_A_SECOND)) for word in spoken.words),
        last_step=round((spoken.words[-1].stop or 0.0 if spoken.words else 0.0) * FRAMES_A_SECOND),
    )


async def _timed(server: Server, batches: tuple[str, ...], voice: str) -> tuple[synthesis.Speech, float]:
    """Return what was spoken, and when its text was sent."""
    began = 0.0

    async def begin() -> None:
        nonlocal began
        began = asyncio.get_running_loop().time()

    return await synthesis.synthesize(server, batches, voice, begin=begin), began


def tones(audio: str) -> Iterator[list[float]]:
    """Yield the frames of "s5,q9,l3": silent, quiet and loud ones of 80 ms."""
    number = 0
    for part in audio.split(","):
        for _ in range(int(part[1:])):
            yield tone(LOUDNESS[part[0]], number * FRAME)
            number += 1


def questions(kind: str) -> tuple[Question, ...]:
    """Return questions for the synthetic model of a kind of module, BatchedAsr or Py."""
    if kind == "BatchedAsr":
        return (
            Question(audio="s5,q9,s5", words=("hello",) * 3),
            Question(audio="s5,l9", words=("hello", "world", "world", "world")),
        )
    words = ("hello", "world,", "it's", "me")
    return tuple(
        Question(voice=name, texts=(" ".join(words),), words=words, spoken=expected(words, voice))
        for name, voice in ((tts_model.DEFAULT_VOICE, "A"), (tts_model.OTHER_VOICE, "B"))
    )


async def frames(found: Iterable[list[float]]) -> AsyncIterator[list[float]]:
    """Yield frames for a client."""
    for frame in found:
        yield frame


def tone(loudness: float, start: int) -> list[float]:
    """Return a frame of a tone of 440 Hz, `start` samples from its beginning."""
    return [loudness * math.sin(2 * math.pi * 440 * (start + sample) / RATE) for sample in range(FRAME)]


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


def heard(frame: Sequence[float]) -> tuple[int, str] | None:
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
