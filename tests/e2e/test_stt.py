"""The speech-to-text image transcribes: the CUDA build, unchanged, on a machine without a card."""

from __future__ import annotations

import asyncio
import http.client
import json
from typing import TYPE_CHECKING

import pytest

from baker.errors import UsageError
from baker.synthetic import stt_model
from baker.synthetic.answers import listen
from tests.e2e.conftest import HARDENED, STT, inside, listening, published, wait

if TYPE_CHECKING:
    from pathlib import Path

TINY = ["worker", "--config", "/models/stt.toml", "--cpu"]


def mounted(folder: Path) -> dict[str, dict[str, str]]:
    return {str(folder): {"bind": "/models", "mode": "ro"}}


@pytest.mark.parametrize(
    ("audio", "words"),
    [
        ("s5,q9,s5", ("hello",) * 3),
        ("s5,l9", ("hello", "world", "world", "world")),  # the first loud frame after silence reads as quiet
        ("s20", ()),
    ],
)
def test_words(stt, audio, words):
    assert asyncio.run(listen(stt, audio)) == words


def test_two_clients_at_once(stt):
    async def both():
        meet = asyncio.Barrier(2)
        return await asyncio.gather(listen(stt, "s5,q9,s5", meet=meet), listen(stt, "s5,l9", meet=meet))

    assert asyncio.run(both()) == [("hello",) * 3, ("hello", "world", "world", "world")]


def test_a_wrong_key_is_refused(stt):
    with pytest.raises(UsageError, match="refuses the key"):
        asyncio.run(listen(stt, "s1", key="wrong"))


@pytest.mark.parametrize("user", ["1000", "12345"])
def test_any_user_on_a_read_only_root(start, models, user):
    options = {**HARDENED, "user": user, "ports": {"8080": ("127.0.0.1", None)}}
    with start(STT, TINY, volumes=mounted(models / "stt"), **options) as container:
        assert asyncio.run(listen(published(container), "s5,q9,s5")) == ("hello",) * 3


def test_a_stub_library_of_the_host_will_do(start, models):
    """What stands for the driver may come from outside, as the real driver does."""
    stub = "/opt/baker/stubs/libcuda.so.1"
    command = f"cp {stub} /usr/lib/x86_64-linux-gnu/ && exec /opt/baker/bin/moshi-server-cuda-80 {' '.join(TINY)}"
    options = {"ports": {"8080": ("127.0.0.1", None)}, "user": "0", "entrypoint": "/bin/sh"}
    with start(STT, ["-c", command], volumes=mounted(models / "stt"), **options) as container:
        assert asyncio.run(listen(published(container), "s5,q9,s5")) == ("hello",) * 3


def test_without_the_page_all_else_is_as_before(start, models):
    """An empty /app/static is what `page = false` bakes, and what docs/page.md mounts to hide the page."""
    options = {"ports": {"8080": ("127.0.0.1", None)}, "tmpfs": {"/app/static": "mode=0755"}}
    with start(STT, TINY, volumes=mounted(models / "stt"), **options) as container:
        address = published(container)
        found = {}
        for path in ("/", "/index.html", "/api/build_info"):
            connection = http.client.HTTPConnection(address, timeout=30)
            connection.request("GET", path)
            found[path] = connection.getresponse().status
            connection.close()
        assert found == {"/": 404, "/index.html": 404, "/api/build_info": 200}
        assert asyncio.run(listen(address, "s5,q9,s5")) == ("hello",) * 3


def test_sigterm_ends_it_at_once(start, models):
    with start(STT, TINY, volumes=mounted(models / "stt")) as container:
        wait(lambda: listening(container), container)
        container.stop(timeout=60)
        # Ended by the signal; one that heeds none is killed after the minute, which is 137.
        assert container.wait()["StatusCode"] == 143


def test_without_a_card_it_says_how_to_go_on(start):
    with start(STT, ["worker", "--config", "configs/stt.toml"]) as container:
        assert container.wait(timeout=30)["StatusCode"] == 42
        log = container.logs().decode()
    assert len(log.splitlines()) == 1, log
    assert "--gpus all" in log


def test_upstreams_config_with_a_cache_and_no_network(engine, start, tmp_path):
    """The image's own stt.toml, unmodified: 4.8 GB of memory."""
    stt_model.write_cache(tmp_path)
    tmp_path.chmod(0o777)
    volumes = {str(tmp_path): {"bind": "/root/.cache/huggingface", "mode": "rw"}}
    command = ["worker", "--config", "configs/stt.toml", "--cpu"]
    with start(STT, command, volumes=volumes, network_mode="none", **HARDENED) as container:
        wait(lambda: b"starting asr loop" in container.logs(), container)
        words = json.loads(inside(engine, container, "--listen", "s5,q9,s5"))
    assert words == ["hello"] * 3
