"""Downloads that are cut off, ended, or not what was announced."""

from __future__ import annotations

import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.docker import hub as standin
from tests.docker.pulling import CHUNK, SIZE, STT, WEIGHTS, Baker, noise

if TYPE_CHECKING:
    from tests.docker.hub import Hub


def test_a_connection_that_drops_is_taken_up_again(hub: Hub, baker: Baker) -> None:
    hub.drops[WEIGHTS] = [4 * CHUNK, 2 * CHUNK]
    assert baker.pull("stt").code == 0
    assert baker.has(STT)[WEIGHTS] == hub.repos[STT][WEIGHTS]
    assert [one.range for one in hub.gets(WEIGHTS)] == ["", f"bytes={4 * CHUNK}-", f"bytes={6 * CHUNK}-"]
    assert hub.served[WEIGHTS] == SIZE


def test_a_connection_that_drops_too_often_is_taken_up_by_the_next_run(hub: Hub, baker: Baker) -> None:
    hub.drops[WEIGHTS] = [4 * CHUNK, *[0] * 30]
    failed = baker.pull("stt", "--json")
    assert (failed.code, failed.out) == (5, "")
    assert failed.err.splitlines()[-1].startswith(f"error: {STT}/{WEIGHTS}: the connection to {hub.endpoint} failed (")
    assert failed.err.splitlines()[-1].endswith("what came so far is kept, run it again")
    assert not (baker.repository(STT) / "refs/main").exists()

    hub.drops.clear()
    hub.requests.clear()
    assert baker.pull("stt").code == 0
    assert [one.range for one in hub.gets(WEIGHTS)] == [f"bytes={4 * CHUNK}-"]
    assert hub.served[WEIGHTS] == SIZE
    assert baker.has(STT)[WEIGHTS] == hub.repos[STT][WEIGHTS]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_pull_that_is_ended_is_taken_up_by_the_next_one(hub: Hub, baker: Baker, sent: signal.Signals) -> None:
    # Each connection gives some more, and http_get waits a second in between.
    hub.drops[WEIGHTS] = [CHUNK] * 10
    running = subprocess.Popen(baker.argv("stt"), env=baker.environment(), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while len(hub.gets(WEIGHTS)) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    running.send_signal(sent)
    _, err = running.communicate(timeout=60)
    assert "Traceback" not in err
    assert running.returncode == {signal.SIGINT: 130, signal.SIGTERM: 130, signal.SIGKILL: -signal.SIGKILL}[sent]
    said = ["error: interrupted: what was fetched is kept, run it again to go on"]
    assert err.splitlines()[1:] == ([] if sent == signal.SIGKILL else said), err

    hub.drops.clear()
    hub.requests.clear()
    assert baker.pull("stt").code == 0
    (request,) = hub.gets(WEIGHTS)
    assert int(request.range.removeprefix("bytes=").rstrip("-")) >= CHUNK
    assert baker.has(STT)[WEIGHTS] == hub.repos[STT][WEIGHTS]


def test_a_server_that_knows_no_ranges_sends_everything_again(hub: Hub, baker: Baker) -> None:
    hub.ranges = False
    hub.drops[WEIGHTS] = [4 * CHUNK]
    assert baker.pull("stt").code == 0
    assert hub.served[WEIGHTS] == SIZE + 4 * CHUNK
    assert baker.has(STT)[WEIGHTS] == hub.repos[STT][WEIGHTS]


@pytest.mark.parametrize("size", [2000, 1500, 2500])
def test_what_is_not_what_was_announced_gets_no_name(hub: Hub, baker: Baker, size: int) -> None:
    # 1500 bytes is a connection that ends early and well-formed.
    name = "tokenizer_en_fr_audio_8000.model"
    hub.false[name] = noise("something else", size)
    failed = baker.pull("stt")
    assert failed.code == 5
    assert f"{STT}/{name}" in failed.err.splitlines()[-1]
    assert not (baker.repository(STT) / "refs").exists()
    assert standin.digest(hub.repos[STT][name]) not in {path.name for path in baker.repository(STT).glob("blobs/*")}
    hub.false.clear()
    assert baker.pull("stt").code == 0
    assert baker.has(STT)[name] == hub.repos[STT][name]


def test_a_file_ends_a_byte_after_its_announced_size(hub: Hub, baker: Baker) -> None:
    name, most = "tokenizer_en_fr_audio_8000.model", 64_000_000
    hub.false[name] = hub.repos[STT][name] + bytes(most)
    failed = baker.pull("stt")
    said = f"error: {STT}/{name}: what came is not what {hub.endpoint} announced (2000 bytes"
    assert (failed.code, failed.err.splitlines()[-1].startswith(said)) == (5, True)
    # What lies in the buffers of both ends was sent, too.
    assert hub.served[name] < most / 4
    assert len(hub.gets(name)) == 1
    assert not list(baker.home.rglob("*.incomplete"))


def test_a_rest_that_goes_on_for_ever_is_cut_off_too(hub: Hub, baker: Baker) -> None:
    hub.drops[WEIGHTS] = [4 * CHUNK, *[0] * 30]
    assert baker.pull("stt").code == 5
    hub.drops.clear()
    hub.false[WEIGHTS] = hub.repos[STT][WEIGHTS] + bytes(64_000_000)
    failed = baker.pull("stt")
    assert (failed.code, "what came is not what" in failed.err) == (5, True)
    assert hub.served[WEIGHTS] < 32_000_000
