"""Many streams at once: how many of them a server serves in real time, and how long its answers take."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker.errors import EngineError
from baker.speech import synthesis, transcription
from baker.speech.wire import NoSlotError, once_there_is_room
from baker.trial import audio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from baker.speech.wire import Server

# Seconds that an answer may be late before a listener notices: a player's buffer, or the pause before a reply.
PATIENCE = 0.5
# A slot may still belong to the health probe, for some milliseconds.
TRIES = 10
MEDIAN, HIGH = 0.5, 0.95


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a server did with many streams at once.

    Attributes:
        streams: how many there were.
        served: how many got a slot.
        kept: how many of them were served in real time: no answer was later than PATIENCE.
        seconds: how long it took.
        measured: what the latencies are of.
        median: the latency of half of all answers, in seconds.
        high: that of 95 of 100.
        late: by how much the latest answer was late, in seconds.
    """

    streams: int
    served: int
    kept: int
    seconds: float
    measured: str
    median: float
    high: float
    late: float


@dataclass(frozen=True, kw_only=True)
class _Stream:
    """One stream: the latencies of its answers, and by how much the latest was late."""

    latencies: tuple[float, ...]
    late: float


def hold(streams: Coroutine[None, None, Load]) -> Load:
    """Run what listening() or speaking() returned."""
    return asyncio.run(streams)


async def listening(server: Server, samples: Sequence[float], count: int, seconds: float) -> Load:
    """Send the same sound, at the pace of speech, in many streams to speech-to-text."""

    async def stream(begin: Callable[[], Awaitable[object]]) -> _Stream:
        heard = await transcription.transcribe(server, audio.paced(samples, seconds), begin=begin, window=0)
        return _Stream(latencies=heard.lags, late=max(heard.lags, default=0.0))

    return await _together(stream, count, "from a frame to its step")


async def speaking(server: Server, text: str, voice: str, count: int, seconds: float) -> Load:
    """Have the same text spoken again and again, in many streams, by text-to-speech."""

    async def stream(begin: Callable[[], Awaitable[object]]) -> _Stream:
        latencies: list[float] = []
        late = end = 0.0
        while not latencies or time.monotonic() < end:

            async def begun(*, first: bool = not latencies) -> None:
                if first:
                    await begin()

            said = await once_there_is_room(lambda: synthesis.synthesize(server, (text,), voice, begin=begun), TRIES)
            end = end or time.monotonic() - said.arrivals[-1] + seconds
            latencies.append(said.arrivals[0])
            late = max(late, said.lateness)
        return _Stream(latencies=tuple(latencies), late=late)

    return await _together(stream, count, "from the text to the first sound")


async def _together(
    stream: Callable[[Callable[[], Awaitable[object]]], Awaitable[_Stream]], count: int, measured: str
) -> Load:
    """Run streams that begin when each of them has a slot, or has been turned away."""
    meeting = asyncio.Barrier(count)

    async def one() -> _Stream | None:
        met = False

        async def begin() -> None:
            nonlocal met
            met = True
            await meeting.wait()

        try:
            return await once_there_is_room(lambda: stream(begin), TRIES)
        except NoSlotError:
            if met:
                raise
            await meeting.wait()
            return None

    began = time.monotonic()
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one()) for _ in range(count)]
    except ExceptionGroup as failed:
        # They fail of the same thing: one is enough to say what it is.
        raise failed.exceptions[0] from failed
    found = [task.result() for task in tasks]
    served = [item for item in found if item is not None]
    if not served:
        raise EngineError("no stream got a slot: end other clients of the server, or raise batch_size in its config")
    latencies = sorted(latency for item in served for latency in item.latencies)
    return Load(
        streams=count,
        served=len(served),
        kept=sum(item.late <= PATIENCE for item in served),
        seconds=time.monotonic() - began,
        measured=measured,
        median=quantile(latencies, MEDIAN),
        high=quantile(latencies, HIGH),
        late=max(item.late for item in served),
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the value that a share of ordered values does not exceed; 0 of none."""
    return ordered[math.ceil(len(ordered) * share) - 1] if ordered else 0.0
