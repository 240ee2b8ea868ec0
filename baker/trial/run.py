"""One try: a server, sound or text, and what came of it."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker.speech import synthesis, transcription
from baker.speech.wire import once_there_is_room
from baker.trial import audio

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from baker.speech.wire import Word
    from baker.trial.server import Trial


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a try. All times are in seconds.

    Attributes:
        server: a container, an image or an address.
        words: with their times in the sound.
        ready: from the start of the server to its `Ready`; None where it ran already.
        connected: from the connection to `Ready`.
        first_sound: from the text to its first frame; None of speech-to-text.
        audio: the length of the sound.
        worked: what the server needed for it.
        factor: worked / audio, below 1 is faster than real time; None of a microphone, which sets the pace itself.
    """

    server: str
    words: tuple[Word, ...]
    ready: float | None
    connected: float
    first_sound: float | None
    audio: float
    worked: float
    factor: float | None


def hear(trial: Trial, samples: Sequence[float], told: Callable[[Word], None]) -> Outcome:
    """Have sound transcribed, as fast as the server takes it."""
    transcribed = asyncio.run(
        once_there_is_room(lambda: transcription.transcribe(trial.server, audio.frames(samples), told=told))
    )
    return _heard(trial, transcribed, transcribed.worked / transcribed.audio)


def hear_microphone(trial: Trial, seconds: float | None, told: Callable[[Word], None]) -> Outcome:
    """Have the microphone transcribed, for some seconds or until Ctrl-C."""

    async def record() -> transcription.Transcript:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        with audio.microphone(stop) as recorded:
            loop.add_signal_handler(signal.SIGINT, stop.set)
            try:
                if seconds is not None:
                    loop.call_later(seconds, stop.set)
                return await transcription.transcribe(trial.server, recorded, told=told)
            finally:
                loop.remove_signal_handler(signal.SIGINT)

    return _heard(trial, asyncio.run(record()), None)


def say(trial: Trial, text: str, voice: str, told: Callable[[Word], None]) -> tuple[Outcome, synthesis.Speech]:
    """Have a text spoken."""
    spoken = asyncio.run(once_there_is_room(lambda: synthesis.synthesize(trial.server, (text,), voice, told=told)))
    worked = spoken.arrivals[-1]
    outcome = Outcome(
        server=trial.name,
        words=spoken.words,
        ready=trial.ready,
        connected=spoken.connected,
        first_sound=spoken.arrivals[0],
        audio=spoken.audio,
        worked=worked,
        factor=worked / spoken.audio,
    )
    return outcome, spoken


def _heard(trial: Trial, transcribed: transcription.Transcript, factor: float | None) -> Outcome:
    return Outcome(
        server=trial.name,
        words=transcribed.words,
        ready=trial.ready,
        connected=transcribed.connected,
        first_sound=None,
        audio=transcribed.audio,
        worked=transcribed.worked,
        factor=factor,
    )
