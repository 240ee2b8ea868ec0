"""`baker models pull` into a folder: what is there afterwards, and what `--check` says of it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docker.pulling import (
    BELOW,
    CHUNK,
    DEFAULT,
    FAR,
    NAMES,
    OTHER,
    SIZE,
    STT,
    STT_FILES,
    TTS,
    VOICES,
    WEIGHTS,
    Baker,
    noise,
)

if TYPE_CHECKING:
    from tests.docker.hub import Hub


def test_everything_that_the_configs_name(hub: Hub, baker: Baker) -> None:
    before = baker.pull("stt", "tts", "--check", "--json")
    assert before.code == 5
    assert set(before.states.values()) == {"missing"}
    assert not baker.home.exists()

    done = baker.pull("stt", "tts", "--json")
    assert (done.code, set(done.states.values())) == (0, {"fetched"})
    assert baker.has(STT) == {name: hub.repos[STT][name] for name in STT_FILES}
    assert baker.has(TTS) == hub.repos[TTS]
    assert baker.has(VOICES) == {name: hub.repos[VOICES][name] for name in (DEFAULT, OTHER, BELOW)}
    assert not list(baker.home.rglob("*.incomplete"))

    after = baker.pull("stt", "tts", "--check", "--json")
    assert (after.code, set(after.states.values())) == (0, {"present"})
    assert after.states.keys() == done.states.keys()
    again = baker.pull()
    assert (again.code, again.out) == (0, f"10 files, 3.0 MB, are whole in {baker.home}\n")
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
    assert set(baker.has(VOICES)) == {DEFAULT, OTHER, BELOW, FAR}
    # What is there stays there.
    assert baker.pull("tts").code == 0
    assert set(baker.has(VOICES)) == {DEFAULT, OTHER, BELOW, FAR}


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


def test_a_voice_below_the_default_ones_folder_is_missed(baker: Baker) -> None:
    """Unmute has two there. Without them the server, offline, speaks with the default voice and says nothing."""
    assert baker.pull("tts").code == 0
    (baker.repository(VOICES) / "snapshots" / ("3" * 40) / BELOW).unlink()
    check = baker.pull("tts", "--check")
    assert (check.code, f"missing hf://{VOICES}/{BELOW}" in check.out) == (5, True)


@pytest.mark.parametrize("name", ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"])
def test_the_folder_of_repositories_may_be_named(hub: Hub, baker: Baker, tmp_path: Path, name: str) -> None:
    place = tmp_path / "elsewhere"
    done = baker.pull("stt", **{name: str(place)})
    assert (done.code, done.out.splitlines()[-1]) == (0, f"3 files, 3.0 MB, are whole in {place}")
    assert not baker.home.exists()
    below = place / "models--kyutai--stt-1b-en_fr-candle" / "snapshots" / hub.commits[STT]
    assert (below / WEIGHTS).read_bytes() == hub.repos[STT][WEIGHTS]
    code = f"from huggingface_hub import hf_hub_download; print(hf_hub_download({STT!r}, {WEIGHTS!r}))"
    env = baker.environment(HF_HUB_OFFLINE="1", **{name: str(place)})
    found = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == str(below / WEIGHTS)
    # A cache that is named on the command line wins.
    assert baker.pull("stt", "--cache", str(tmp_path / "third"), **{name: str(place)}).code == 0
    assert (tmp_path / "third/hub").is_dir()


def test_a_file_without_content(hub: Hub, baker: Baker) -> None:
    hub.repos[VOICES][OTHER] = b""
    assert baker.pull("tts").code == 0
    assert baker.has(VOICES)[OTHER] == b""


def test_two_places(baker: Baker) -> None:
    done = baker.pull("--cache", "here", "--volume", "there")
    assert (done.code, done.err) == (2, "error: pass either --cache or --volume, not both\n")
