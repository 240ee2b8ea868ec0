"""Sound files and the microphone, as frames for a server."""

from __future__ import annotations

import asyncio
import math
import os
import wave
from array import array
from contextlib import contextmanager
from typing import TYPE_CHECKING

import miniaudio

from baker.errors import EngineError, UsageError
from baker.speech.wire import FRAME, FRAMES_A_SECOND, RATE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator, Sequence
    from pathlib import Path

FORMAT = miniaudio.SampleFormat.FLOAT32
SILENT_BACKENDS = (miniaudio.Backend.NULL, miniaudio.Backend.CUSTOM)
BACKENDS = tuple(backend for backend in miniaudio.Backend if backend not in SILENT_BACKENDS)
FRAME_MILLISECONDS = round(1000 / FRAMES_A_SECOND)
FRAME_BYTES = FRAME * 4
LOUDEST = 32767
PITCH, HUM_SECONDS = 220, 4
NO_MICROPHONE = "no microphone can be opened here: plug one in, or record a file elsewhere and pass that"
STDERR = 2


def read(path: Path) -> array[float]:
    """Return the samples of a sound file, one channel at RATE.

    Raises:
        UsageError: it is of no format that can be read.
    """
    # Whatever is wrong with the path itself is told by this.
    with path.open("rb"):
        pass
    try:
        decoded = miniaudio.decode_file(str(path), output_format=FORMAT, nchannels=1, sample_rate=RATE)
    except miniaudio.DecodeError as error:
        raise UsageError(f"{path} cannot be read as WAV, FLAC, MP3 or Ogg Vorbis: convert it to WAV") from error
    samples: array[float] = decoded.samples
    if not samples:
        raise UsageError(f"{path} has no sound in it")
    return samples


def hum() -> array[float]:
    """Return a quiet tone of some seconds: what a stream says does not change what it costs."""
    return array("f", (0.1 * math.sin(2 * math.pi * PITCH * sample / RATE) for sample in range(HUM_SECONDS * RATE)))


def write(path: Path, frames: Sequence[Sequence[float]]) -> None:
    """Write frames as a WAV file of 16 bits."""
    samples = array("h", (round(max(-1.0, min(1.0, value)) * LOUDEST) for frame in frames for value in frame))
    with path.open("wb") as file, wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())


def cut(samples: Sequence[float]) -> Iterator[list[float]]:
    """Yield samples in frames; the last is filled up with silence."""
    for start in range(0, len(samples), FRAME):
        frame = list(samples[start : start + FRAME])
        yield frame + [0.0] * (FRAME - len(frame))


async def frames(samples: Sequence[float]) -> AsyncIterator[list[float]]:
    """Yield frames as fast as they are taken."""
    for frame in cut(samples):
        yield frame


async def paced(samples: Sequence[float], seconds: float) -> AsyncIterator[list[float]]:
    """Yield frames as a microphone does, again and again from the beginning, for some seconds."""
    loop = asyncio.get_running_loop()
    whole, began = list(cut(samples)), loop.time()
    for number in range(max(1, round(seconds * FRAMES_A_SECOND))):
        await asyncio.sleep(began + number / FRAMES_A_SECOND - loop.time())
        yield whole[number % len(whole)]


@contextmanager
def microphone(
    stop: asyncio.Event, backends: Sequence[miniaudio.Backend] = BACKENDS
) -> Iterator[AsyncIterator[list[float]]]:
    """Record within a running loop: yield the frames that come, until `stop` is set.

    Raises:
        EngineError: there is no microphone.
    """
    loop, queue = asyncio.get_running_loop(), asyncio.Queue[bytes]()
    try:
        with _quiet():
            device = miniaudio.CaptureDevice(
                input_format=FORMAT,
                nchannels=1,
                sample_rate=RATE,
                buffersize_msec=FRAME_MILLISECONDS,
                backends=list(backends),
                app_name="baker",
            )
        recording = _recording(loop, queue)
        next(recording)
        device.start(recording)
    except miniaudio.MiniaudioError as error:
        raise EngineError(NO_MICROPHONE) from error
    try:
        yield _recorded(queue, stop)
    finally:
        device.close()


@contextmanager
def _quiet() -> Iterator[None]:
    """Drop what C libraries write to stderr: ALSA writes 40 lines where there is no card."""
    kept = os.dup(STDERR)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - no file, a device
            os.dup2(nowhere.fileno(), STDERR)
        yield
    finally:
        os.dup2(kept, STDERR)
        os.close(kept)


def _recording(loop: asyncio.AbstractEventLoop, queue: asyncio.Queue[bytes]) -> Generator[None, bytes]:
    """Hand what the device's own thread records to the loop."""
    while True:
        recorded = yield
        loop.call_soon_threadsafe(queue.put_nowait, bytes(recorded))


async def _recorded(queue: asyncio.Queue[bytes], stop: asyncio.Event) -> AsyncIterator[list[float]]:
    stopping, rest = asyncio.create_task(stop.wait()), b""
    try:
        while not stop.is_set():
            coming = asyncio.create_task(queue.get())
            await asyncio.wait((coming, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                coming.cancel()
                return
            rest += coming.result()
            while len(rest) >= FRAME_BYTES:
                frame, rest = array("f", rest[:FRAME_BYTES]), rest[FRAME_BYTES:]
                yield frame.tolist()
    finally:
        stopping.cancel()
