"""The health check of the real images: a dead model loop is seen within a minute, a busy one is left alone."""

from __future__ import annotations

import asyncio
import time

import msgpack
import websockets

from baker.speech.wire import KEY
from baker.synthetic import tts_model
from baker.synthetic.answers import listen, speak
from tests.e2e.conftest import HARDENED, STT, TTS, answers, published, wait

WITHIN = 60


def health(container):
    container.reload()
    return container.attrs["State"]["Health"]["Status"]


def seconds_until_unhealthy(container):
    begun = time.monotonic()
    wait(lambda: health(container) == "unhealthy", container, seconds=2 * WITHIN)
    return time.monotonic() - begun


def options(models, name):
    volumes = {str(models / name): {"bind": "/models", "mode": "ro"}}
    return {**HARDENED, "volumes": volumes, "ports": {"8080": ("127.0.0.1", None)}}


def test_a_loop_that_dies_at_warm_up(start, models):
    with start(STT, ["worker", "--config", "/models/stt.toml", "--cpu"], **options(models, "dead")) as container:
        address = published(container)
        assert seconds_until_unhealthy(container) < WITHIN
        assert answers(address), "the server itself finds nothing wrong, which is why the probe is needed"
        assert container.status == "running"


def test_a_loop_that_dies_later(start, models):
    async def kill(address):
        url = f"ws://{address}/api/tts_streaming?format=PcmMessagePack&voice={tts_model.DEFAULT_VOICE}"
        async with websockets.connect(url, additional_headers={"kyutai-api-key": KEY}) as socket:
            # Embeddings in place of a voice's name: tts.py cannot take them on a CPU.
            voice = {"type": "Voice", "embeddings": [0.0] * 16, "shape": [1, 16, 1]}
            await socket.send(msgpack.packb(voice, use_single_float=True))
            await socket.send(msgpack.packb({"type": "Text", "text": "hello"}))
            await asyncio.sleep(2)

    with start(TTS, ["worker", "--config", "/models/tts.toml", "--cpu"], **options(models, "tts")) as container:
        address = published(container)
        asyncio.run(speak(address, tts_model.DEFAULT_VOICE, ("hello",)))
        wait(lambda: health(container) == "healthy", container)
        asyncio.run(kill(address))
        assert seconds_until_unhealthy(container) < WITHIN
        assert answers(address)
        assert container.status == "running"


def test_a_busy_server_stays_healthy(start, models):
    async def crowd(address):
        # Both slots are taken for longer than three probes.
        await asyncio.gather(listen(address, "s5,q500,s5"), listen(address, "s5,l500,s5"))

    with start(STT, ["worker", "--config", "/models/stt.toml", "--cpu"], **options(models, "stt")) as container:
        address = published(container)
        wait(lambda: health(container) == "healthy", container)
        asyncio.run(crowd(address))
        container.reload()
        failed = [entry for entry in container.attrs["State"]["Health"]["Log"] if entry["ExitCode"]]
        assert failed == []
