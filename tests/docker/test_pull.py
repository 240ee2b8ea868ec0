"""`baker models pull` against a stand-in of the hub, into a folder and into a volume."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from baker import hub as asked
from baker import models, pull, shelf, toml, volume
from baker.errors import EngineError, NetworkError, UsageError
from tests.docker import hub as standin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.docker.hub import Hub

TOP = Path(__file__).parents[2]
STT, TTS, VOICES = "kyutai/stt-1b-en_fr-candle", "kyutai/tts-1.6b-en_fr", "kyutai/tts-voices"
WEIGHTS = "model.safetensors"
SIZE = 3_000_000
CHUNK = asked.CHUNK
DEFAULT = "unmute-prod-website/default_voice.wav.1e68beda@240.safetensors"
OTHER = "unmute-prod-website/p329_022.wav.1e68beda@240.safetensors"
FAR = "vctk/p225_023.wav.1e68beda@240.safetensors"
NAMES = {
    "moshi_name": "dsm_tts_1e68beda@240.safetensors",
    "mimi_name": "tokenizer-e351c8d8-checkpoint125.safetensors",
    "tokenizer_name": "tokenizer_spm_8k_en_fr_audio.model",
}
STT_FILES = {WEIGHTS, "tokenizer_en_fr_audio_8000.model", "mimi-pytorch-e351c8d8@125.safetensors"}


def noise(name: str, size: int = 2000) -> bytes:
    return random.Random(name).randbytes(size)  # noqa: S311 - the same in every run


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub with what the project's own configs name, and more."""
    found = standin.Hub(
        repos={
            STT: {name: noise(name, SIZE if name == WEIGHTS else 2000) for name in sorted(STT_FILES)}
            | {"README.md": b"# read\r\n", "other.safetensors": noise("other")},
            TTS: {name: noise(name) for name in NAMES.values()} | {"config.json": json.dumps(NAMES).encode()},
            VOICES: {name: noise(name) for name in (DEFAULT, OTHER, FAR)} | {"README.md": b"voices"},
        },
        commits={STT: "1" * 40, TTS: "2" * 40, VOICES: "3" * 40},
    )
    with standin.serve(found):
        yield found


@dataclass
class Done:
    code: int
    out: str
    err: str

    @property
    def states(self) -> dict[str, str]:
        return {state["file"].removeprefix("hf://"): state["state"] for state in json.loads(self.out)}


@dataclass
class Baker:
    """The command line, with a cache of its own and nothing of the machine's."""

    hub: Hub
    home: Path

    def argv(self, *options: str) -> list[str]:
        return [sys.executable, "-m", "baker", "models", "pull", "--project", str(TOP), *options]

    def environment(self, **more: str) -> dict[str, str]:
        gone = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE")
        kept = {name: value for name, value in os.environ.items() if name not in gone}
        return {**kept, "HF_ENDPOINT": self.hub.endpoint, "HF_HOME": str(self.home), **more}

    def pull(self, *options: str, **more: str) -> Done:
        argv, env = self.argv(*options), self.environment(**more)
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=120)
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def repository(self, repo: str) -> Path:
        return self.home / "hub" / f"models--{repo.replace('/', '--')}"

    def has(self, repo: str) -> dict[str, bytes]:
        """What hf-hub finds: the files below snapshots/ of the commit that refs/main names."""
        top = self.repository(repo)
        below = top / "snapshots" / (top / "refs/main").read_text()
        return {str(path.relative_to(below)): path.read_bytes() for path in below.rglob("*") if path.is_file()}


@pytest.fixture
def baker(hub: Hub, tmp_path: Path) -> Baker:
    return Baker(hub, tmp_path / "cache")


def test_everything_that_the_configs_name(hub: Hub, baker: Baker) -> None:
    before = baker.pull("stt", "tts", "--check", "--json")
    assert before.code == 5
    assert set(before.states.values()) == {"missing"}
    assert not baker.home.exists()

    done = baker.pull("stt", "tts", "--json")
    assert (done.code, set(done.states.values())) == (0, {"fetched"})
    assert baker.has(STT) == {name: hub.repos[STT][name] for name in STT_FILES}
    assert baker.has(TTS) == hub.repos[TTS]
    assert baker.has(VOICES) == {name: hub.repos[VOICES][name] for name in (DEFAULT, OTHER)}
    assert not list(baker.home.rglob("*.incomplete"))

    after = baker.pull("stt", "tts", "--check", "--json")
    assert (after.code, set(after.states.values())) == (0, {"present"})
    assert after.states.keys() == done.states.keys()
    again = baker.pull()
    assert (again.code, again.out) == (0, f"9 files, 3.0 MB, are whole in {baker.home}\n")
    assert len(hub.gets(WEIGHTS)) == 1


def test_the_servers_own_library_finds_it_without_network(hub: Hub, baker: Baker) -> None:
    """As tts.py asks; hf-hub, in Rust, goes by refs/main and snapshots/ alone, which baker.has reads."""
    assert baker.pull("tts").code == 0
    code = (
        "import sys; from huggingface_hub import hf_hub_download, snapshot_download\n"
        f"for name in {[*NAMES.values(), 'config.json']!r}: hf_hub_download({TTS!r}, name)\n"
        f"print(snapshot_download({VOICES!r}, allow_patterns='**/*.safetensors'))"
    )
    seen = len(hub.requests)
    env = baker.environment(HF_HUB_OFFLINE="1", HF_ENDPOINT="")
    found = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert (Path(found.stdout.strip()) / DEFAULT).read_bytes() == hub.repos[VOICES][DEFAULT]
    assert len(hub.requests) == seen


def test_all_voices(baker: Baker) -> None:
    assert baker.pull("tts").code == 0
    check = baker.pull("tts", "--all-voices", "--check")
    assert (check.code, f"missing hf://{VOICES}/{FAR}" in check.out) == (5, True)
    assert baker.pull("tts", "--all-voices").code == 0
    assert set(baker.has(VOICES)) == {DEFAULT, OTHER, FAR}
    # What is there stays there.
    assert baker.pull("tts").code == 0
    assert set(baker.has(VOICES)) == {DEFAULT, OTHER, FAR}


def test_check_without_network_goes_by_the_cache(hub: Hub, baker: Baker) -> None:
    assert baker.pull("stt", "tts").code == 0
    hub.repos.clear()
    check = baker.pull("stt", "tts", "--check", HF_HUB_OFFLINE="1")
    assert (check.code, check.err.count("note: judged by the cache alone")) == (0, 1)
    voice = baker.repository(VOICES) / "snapshots" / ("3" * 40) / DEFAULT
    voice.unlink()
    check = baker.pull("tts", "--check", HF_HUB_OFFLINE="1")
    assert (check.code, "missing hf://kyutai/tts-voices/unmute-prod-website/default_voice.wav" in check.out) == (
        5,
        True,
    )


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


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
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
    assert running.returncode == {signal.SIGINT: 130, signal.SIGKILL: -signal.SIGKILL}[sent]

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


@pytest.mark.parametrize("damage", ["flip", "cut"])
@pytest.mark.parametrize(("repo", "name"), [(STT, WEIGHTS), (TTS, "config.json")])
def test_a_damaged_file_is_seen_and_fetched_anew(hub: Hub, baker: Baker, damage: str, repo: str, name: str) -> None:
    assert baker.pull("stt", "tts").code == 0
    blob = (baker.repository(repo) / "snapshots" / hub.commits[repo] / name).resolve()
    good = blob.read_bytes()
    blob.write_bytes(good[:-1] if damage == "cut" else good[:-2] + b"x" + good[-1:])
    check = baker.pull("stt", "tts", "--check")
    assert (check.code, f"damaged hf://{repo}/{name}" in check.out) == (5, True)
    offline = baker.pull("stt", "tts", "--check", HF_HUB_OFFLINE="1")
    assert (offline.code, f"damaged hf://{repo}/{name}" in offline.out) == (5, True)
    again = baker.pull("stt", "tts", "--json")
    assert [file for file, word in again.states.items() if word == "fetched"] == [f"{repo}/{name}"]
    assert baker.has(repo)[name] == good


def test_a_gated_repository(hub: Hub, baker: Baker) -> None:
    hub.gated.add(STT)
    without = baker.pull("stt")
    assert without.code == 5
    terms = f"accept its terms at {hub.endpoint}/{STT}"
    assert without.err.splitlines()[-1] == (
        f"error: {STT} is gated (401): {terms}, and set HF_TOKEN to a token of that account"
    )
    other = baker.pull("stt", HF_TOKEN="somebody-else")  # noqa: S106
    assert other.code == 5
    last = other.err.splitlines()[-1]
    assert last == f"error: {STT} is gated, and the token's account is not let in (403): {terms}"
    assert "somebody-else" not in other.out + other.err
    good = baker.pull("stt", HUGGING_FACE_HUB_TOKEN=standin.PASS)
    assert good.code == 0
    assert standin.PASS not in good.out + good.err
    assert {one.token for one in hub.requests if one.host == "localhost"} == {""}
    assert not [path for path in baker.home.rglob("*") if path.is_file() and standin.PASS.encode() in path.read_bytes()]


def test_a_stored_login_is_not_used(hub: Hub, baker: Baker) -> None:
    baker.home.mkdir()
    (baker.home / "token").write_text("stored")
    assert baker.pull("stt").code == 0
    assert {one.token for one in hub.requests} == {""}


def test_a_repository_that_is_not_there(hub: Hub, baker: Baker) -> None:
    del hub.repos[STT]
    done = baker.pull("stt")
    text = f"error: there is no model {STT} at {hub.endpoint}, or it needs a token in HF_TOKEN (401)"
    assert (done.code, done.err.splitlines()[-1]) == (5, text)


def test_a_file_that_is_not_there(hub: Hub, baker: Baker) -> None:
    del hub.repos[STT][WEIGHTS]
    done = baker.pull("stt")
    assert done.code == 2
    assert f"{STT} has no file {WEIGHTS}" in done.err.splitlines()[-1]
    assert not hub.gets("tokenizer_en_fr_audio_8000.model")


def test_a_default_voice_that_is_not_there(hub: Hub, baker: Baker) -> None:
    del hub.repos[VOICES][DEFAULT]
    done = baker.pull("tts")
    assert (done.code, f"{VOICES} has no voice unmute-prod-website/default_voice.wav" in done.err) == (2, True)


def test_no_network(baker: Baker) -> None:
    done = baker.pull("stt", HF_ENDPOINT="http://127.0.0.1:9")
    assert done.code == 5
    assert done.err.startswith(f"error: {STT}: the connection to http://127.0.0.1:9 failed (")
    offline = baker.pull("stt", HF_HUB_OFFLINE="1")
    assert (offline.code, offline.err) == (5, f"error: {STT} was not asked for: HF_HUB_OFFLINE is set\n")


def test_main_moves_when_all_is_there(hub: Hub, baker: Baker) -> None:
    assert baker.pull("stt").code == 0
    old = baker.has(STT)
    hub.commits[STT] = "4" * 40
    hub.repos[STT][WEIGHTS] = noise("new", SIZE)
    hub.drops[WEIGHTS] = [4 * CHUNK, *[0] * 30]
    assert baker.pull("stt").code == 5
    assert baker.has(STT) == old
    hub.drops.clear()
    hub.requests.clear()
    done = baker.pull("stt", "--json")
    assert [file for file, word in done.states.items() if word == "fetched"] == [f"{STT}/{WEIGHTS}"]
    assert (baker.repository(STT) / "refs/main").read_text() == "4" * 40
    assert baker.has(STT) == {**old, WEIGHTS: hub.repos[STT][WEIGHTS]}


def test_a_cache_without_links(hub: Hub, baker: Baker) -> None:
    """As huggingface_hub leaves it where there are no symbolic links: the files themselves lie in snapshots/."""
    below = baker.repository(STT) / "snapshots" / ("1" * 40)
    below.mkdir(parents=True)
    (baker.repository(STT) / "refs").mkdir()
    (baker.repository(STT) / "refs/main").write_text("1" * 40)
    for name in STT_FILES:
        (below / name).write_bytes(hub.repos[STT][name])
    assert baker.pull("stt", "--check").code == 0
    done = baker.pull("stt", "--json")
    assert (done.code, set(done.states.values())) == (0, {"present"})
    (below / WEIGHTS).write_bytes(noise("wrong", SIZE))
    assert baker.pull("stt", "--check").code == 5
    assert baker.pull("stt").code == 0
    assert baker.has(STT)[WEIGHTS] == hub.repos[STT][WEIGHTS]


def test_two_pulls_at_a_time(hub: Hub, baker: Baker) -> None:
    hub.drops[WEIGHTS] = [CHUNK] * 10
    running = subprocess.Popen(baker.argv("stt"), env=baker.environment(), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not hub.gets(WEIGHTS):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    second = baker.pull("stt")
    assert (second.code, f"another `baker models pull` writes to {baker.home}" in second.err) == (4, True)
    hub.drops.clear()
    assert running.wait(timeout=60) == 0


def test_two_places(baker: Baker) -> None:
    done = baker.pull("--cache", "here", "--volume", "there")
    assert (done.code, done.err) == (2, "error: --cache and --volume are two places: give one\n")


class _Silent:
    def start(self, text: str, total: int) -> None: ...
    def advance(self, count: int) -> None: ...


def docker(*argv: str) -> str:
    done = subprocess.run(["docker", *argv], check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"docker {' '.join(argv)}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


@pytest.fixture
def place() -> Iterator[str]:
    """A volume, as compose makes one."""
    name = f"baker-test-{uuid.uuid4().hex[:8]}"
    docker("volume", "create", "--label", f"com.docker.compose.volume={name}-models", name)
    yield name
    docker("volume", "rm", name)


def fill(hub: Hub, place: str, image: str, *services: str, check: bool = False) -> dict[str, str]:
    configs = [TOP / f"services/{service}/configs/{service}.toml" for service in services]
    wanted = models.needs((str(path), toml.read(path).values) for path in configs)
    client, bar = asked.connect({"HF_ENDPOINT": hub.endpoint}), _Silent()
    found: Any
    with volume.open_volume(place, image, "/mnt/cache", writing=not check) as store:
        if check:
            found = shelf.check(wanted, store, client, bar, print, everything=False)
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
        volume.open_volume(place, debian_root, "/mnt/cache", writing=True),
        pytest.raises(EngineError, match=f"or remove what it left with `docker rm -f baker-models-{place}`"),
    ):
        fill(hub, place, debian_root, "stt")


def test_a_full_disk_is_said_before_the_first_byte(hub: Hub, debian_root: str) -> None:
    name = f"baker-test-{uuid.uuid4().hex[:8]}"
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
    name = f"baker-test-{uuid.uuid4().hex[:8]}"
    docker("volume", "create", "--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", "o=size=1m", name)
    try:
        with pytest.raises(EngineError, match=f"no space left in the volume {name}: make room and run it again"):
            fill(hub, name, debian_root, "stt")
    finally:
        docker("volume", "rm", name)
