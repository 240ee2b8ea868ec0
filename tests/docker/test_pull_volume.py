"""`baker models pull` into a volume."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from baker.config import toml
from baker.errors import EngineError, NetworkError, UsageError
from baker.models import environment, inventory, needs, pull, volume
from baker.models import hub as asked
from tests import run
from tests.docker import hub as standin
from tests.docker.here import ENGINE
from tests.docker.pulling import CHUNK, SIZE, STT, TOP, WEIGHTS, docker

if TYPE_CHECKING:
    from tests.docker.hub import Hub


class _Silent:
    def start(self, text: str, total: int) -> None: ...
    def advance(self, count: int) -> None: ...


def fill(hub: Hub, place: str, image: str, *services: str, check: bool = False) -> dict[str, str]:
    configs = [TOP / f"services/{service}/configs/{service}.toml" for service in services]
    wanted = needs.collect((str(path), toml.read(path)) for path in configs)
    client, bar = asked.connect(environment.access({"HF_ENDPOINT": hub.endpoint}), print), _Silent()
    found: Any
    with volume.open_volume(ENGINE, place, image, "/mnt/cache", writing=not check) as store:
        if check:
            found = inventory.check(wanted, store, client, bar, print, everything=False)
        else:
            found = pull.pull(wanted, store, client, bar, everything=False)
    return {state.file.removeprefix("hf://"): state.state for state in found}


def test_a_volume(hub: Hub, place: str, debian_root: str) -> None:
    hub.drops[WEIGHTS] = [4 * CHUNK]
    assert set(fill(hub, place, debian_root, "stt", "tts", check=True).values()) == {"missing"}
    assert set(fill(hub, place, debian_root, "stt", "tts").values()) == {"fetched"}
    assert hub.served[WEIGHTS] == SIZE
    assert set(fill(hub, f"{place}-models", debian_root, "stt", "tts", check=True).values()) == {"present"}
    assert set(fill(hub, place, debian_root, "stt", "tts").values()) == {"present"}

    def inside(*argv: str) -> str:
        return docker("run", "--rm", "--volume", f"{place}:/mnt/cache", debian_root, *argv)

    top = "/mnt/cache/hub/models--kyutai--stt-1b-en_fr-candle"
    assert inside("cat", f"{top}/refs/main") == "1" * 40
    found = inside("sha256sum", f"{top}/snapshots/{'1' * 40}/{WEIGHTS}")
    assert found.split()[0] == standin.digest(hub.repos[STT][WEIGHTS])
    inside("truncate", "--size=-1", f"{top}/snapshots/{'1' * 40}/{WEIGHTS}")
    assert fill(hub, place, debian_root, "stt", check=True)[f"{STT}/{WEIGHTS}"] == "damaged"
    assert fill(hub, place, debian_root, "stt")[f"{STT}/{WEIGHTS}"] == "fetched"
    assert not docker("ps", "--all", "--quiet", "--filter", f"name=baker-models-{place}")


def test_a_download_into_a_volume_is_taken_up_again(hub: Hub, place: str, debian_root: str) -> None:
    hub.drops[WEIGHTS] = [4 * CHUNK, *[0] * 30]
    with pytest.raises(NetworkError, match="what came so far is kept"):
        fill(hub, place, debian_root, "stt")
    hub.drops.clear()
    assert fill(hub, place, debian_root, "stt")[f"{STT}/{WEIGHTS}"] == "fetched"
    assert hub.served[WEIGHTS] == SIZE


def test_a_server_without_ranges_and_a_volume(hub: Hub, place: str, debian_root: str) -> None:
    hub.ranges = False
    hub.drops[WEIGHTS] = [4 * CHUNK]
    assert fill(hub, place, debian_root, "stt")[f"{STT}/{WEIGHTS}"] == "fetched"
    assert fill(hub, place, debian_root, "stt", check=True)[f"{STT}/{WEIGHTS}"] == "present"


def test_a_volume_that_is_not_there(hub: Hub, debian_root: str) -> None:
    with pytest.raises(UsageError, match="there is no volume 'baker-test-none'"):
        fill(hub, "baker-test-none", debian_root, "stt")


def test_two_pulls_into_one_volume(hub: Hub, place: str, debian_root: str) -> None:
    with (
        volume.open_volume(ENGINE, place, debian_root, "/mnt/cache", writing=True),
        pytest.raises(EngineError, match=f"or remove what it left with `docker rm -f baker-models-{place}`"),
    ):
        fill(hub, place, debian_root, "stt")


def test_a_full_disk_is_said_before_the_first_byte(hub: Hub, debian_root: str) -> None:
    name = run.name(uuid.uuid4().hex[:8])
    docker("volume", "create", "--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", "o=size=1m", name)
    try:
        with pytest.raises(
            EngineError, match=f"no space left in the volume {name}: 3.0 MB are to be fetched, 1.0 MB are free"
        ):
            fill(hub, name, debian_root, "stt")
        assert not hub.gets(WEIGHTS)
    finally:
        docker("volume", "rm", name)


def test_a_disk_that_fills_up(hub: Hub, debian_root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "RESERVE", -(10**9))
    name = run.name(uuid.uuid4().hex[:8])
    docker("volume", "create", "--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", "o=size=1m", name)
    try:
        with pytest.raises(EngineError, match=f"no space left in the volume {name}: make room and run it again"):
            fill(hub, name, debian_root, "stt")
    finally:
        docker("volume", "rm", name)
