"""Which files a config makes the server load."""

from __future__ import annotations

import errno
import tomllib
from pathlib import Path
from typing import Any

import pytest

from baker import cache, models
from baker.errors import BakerError, CommandError, EngineError, UsageError

TOP = Path(__file__).parents[2]
TTS = "kyutai/tts-1.6b-en_fr"
VOICES = models.Voices(
    repo="kyutai/tts-voices", pattern="**/*.safetensors", default="unmute-prod-website/default_voice.wav"
)
PATHS = (
    "README.md",
    "barack_demo.wav.1e68beda@240.safetensors",
    "unmute-prod-website/default_voice.wav",
    "unmute-prod-website/default_voice.wav.1e68beda@240.safetensors",
    "unmute-prod-website/p329_022.wav.1e68beda@240.safetensors",
    "vctk/p225_023.wav.1e68beda@240.safetensors",
)
NAMES = {
    "moshi_name": "dsm_tts_1e68beda@240.safetensors",
    "mimi_name": "tokenizer-e351c8d8-checkpoint125.safetensors",
    "tokenizer_name": "tokenizer_spm_8k_en_fr_audio.model",
}


def needs(text: str) -> models.Needs:
    return models.needs([("tts.toml", tomllib.loads(text))])


def own(service: str) -> models.Needs:
    path = TOP / f"services/{service}/configs/{service}.toml"
    return models.needs([(str(path), tomllib.loads(path.read_text()))])


def test_speech_to_text_needs_what_it_names() -> None:
    found = own("stt")
    assert [str(file) for file in found.files] == [
        "hf://kyutai/stt-1b-en_fr-candle/mimi-pytorch-e351c8d8@125.safetensors",
        "hf://kyutai/stt-1b-en_fr-candle/model.safetensors",
        "hf://kyutai/stt-1b-en_fr-candle/tokenizer_en_fr_audio_8000.model",
    ]
    assert (found.voices, found.checkpoints) == ((), ())


def test_text_to_speech_needs_its_checkpoint_and_voices_too() -> None:
    found = own("tts")
    assert found.files == (models.File(repo=TTS, path="tokenizer_spm_8k_en_fr_audio.model"),)
    assert found.voices == (VOICES,)
    assert found.checkpoints == (
        models.Checkpoint(repo=TTS, config=models.File(repo=TTS, path="config.json"), given=()),
    )


def test_both_name_each_file_once() -> None:
    config = tomllib.loads('a = "hf://o/n/f"\nb = ["hf://o/n/f", {c = "hf://o/n/sub/g"}]')
    found = models.needs([("one", config), ("two", config)])
    assert found.files == (models.File(repo="o/n", path="f"), models.File(repo="o/n", path="sub/g"))


@pytest.mark.parametrize("name", ["hf://", "hf://o", "hf://o/n", "hf://o/n/", "hf:///n/f"])
def test_a_name_without_all_its_parts(name: str) -> None:
    with pytest.raises(UsageError, match=r"tts\.toml: .*has not the form hf://ORG/NAME/FILE"):
        needs(f'x = "{name}"')


def test_a_checkpoint_names_its_files() -> None:
    (checkpoint,) = own("tts").checkpoints
    assert {file.path for file in models.named_files(checkpoint, NAMES)} == set(NAMES.values())
    defaults = {"model.safetensors", "tokenizer-e351c8d8-checkpoint125.safetensors", "tokenizer_spm_32k_3.model"}
    assert {file.path for file in models.named_files(checkpoint, {})} == defaults


def test_a_checkpoint_may_name_other_repositories_and_local_files() -> None:
    (checkpoint,) = own("tts").checkpoints
    names = {**NAMES, "mimi_name": "hf://o/n/mimi", "mimi_config_name": "file:///m.json", "lora_name": "lora"}
    found = models.named_files(checkpoint, names)
    assert models.File(repo="o/n", path="mimi") in found
    assert models.File(repo=TTS, path="lora") in found
    assert len(found) == 4


def test_a_config_replaces_files_of_the_checkpoint() -> None:
    found = needs('modules.m = {type = "Py", py = {hf_repo = "o/n", mimi_weight = "hf://p/q/mimi", tokenizer = "/t"}}')
    (checkpoint,) = found.checkpoints
    assert found.files == (models.File(repo="p/q", path="mimi"),)
    assert models.named_files(checkpoint, NAMES) == (models.File(repo="o/n", path=NAMES["moshi_name"]),)


def test_a_config_path_of_the_hub_is_read_and_a_local_one_is_not() -> None:
    (checkpoint,) = needs('modules.m = {type = "Py", py = {config_path = "hf://o/n/c.json"}}').checkpoints
    assert (checkpoint.config, checkpoint.repo) == (models.File(repo="o/n", path="c.json"), TTS)
    with pytest.raises(UsageError, match=r"/c\.json is not read here.*set mimi_weight and moshi_weight and tokenizer"):
        needs('modules.m = {type = "Py", py = {config_path = "/c.json"}}')
    whole = 'config_path = "/c.json", moshi_weight = "/m", mimi_weight = "/n", tokenizer = "/t"'
    assert needs(f'modules.m = {{type = "Py", py = {{{whole}}}}}') == models.Needs()


@pytest.mark.parametrize(
    "module", ['{type = "Py", script = "/mine.py"}', '{type = "PyPost"}', '{type = "Mimi"}', '{type = "Lm"}', '"none"']
)
def test_a_script_of_ones_own_loads_what_it_likes(module: str) -> None:
    assert needs(f"modules.m = {module}") == models.Needs()


def test_batched_recognition_in_python_has_local_defaults() -> None:
    with pytest.raises(UsageError, match="set mimi_weight beside it"):
        needs('modules.m = {type = "PyBatchedAsr"}')
    found = needs('modules.m = {type = "PyBatchedAsr", py = {mimi_weight = "hf://o/n/mimi"}}')
    assert (found.files, found.checkpoints) == ((models.File(repo="o/n", path="mimi"),), ())


@pytest.mark.parametrize("folder", ["/models/voices", "voices"])
def test_voices_in_a_folder_are_no_need(folder: str) -> None:
    assert needs(f'modules.m.py = {{voice_folder = "{folder}"}}') == models.Needs()


def test_a_snapshot_without_a_repository() -> None:
    with pytest.raises(UsageError, match="has not the form hf-snapshot://ORG/NAME/PATTERN"):
        needs('modules.m.py.voice_folder = "hf-snapshot://voices"')


def test_voices_are_those_beside_the_default_one() -> None:
    assert models.choose(VOICES, PATHS, everything=False) == PATHS[3:5]
    # "**/" asks for a folder, here as in the server's own snapshot_download.
    assert models.choose(VOICES, PATHS, everything=True) == PATHS[3:]


@pytest.mark.parametrize(
    ("pattern", "count"),
    [("", 6), ("*", 6), ("unmute-prod-website/*.safetensors", 2), ("unmute-prod-website/", 3), ("[a-c]*", 1)],
)
def test_patterns_are_huggingface_hubs(pattern: str, count: int) -> None:
    voices = models.Voices(repo="o/n", pattern=pattern, default="x.wav")
    assert len(models.choose(voices, PATHS, everything=True)) == count


def test_the_default_voice() -> None:
    assert models.has_default(VOICES, PATHS)
    assert not models.has_default(VOICES, PATHS[4:])
    (top,) = needs('modules.m.py.voice_folder = "hf-snapshot://o/n"').voices
    assert models.choose(top, PATHS, everything=False) == PATHS[:2]


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), EngineError, "no space left in /c: make room"),
        (CommandError(("dd",), 1, "dd: error writing 'x': No space left on device"), EngineError, "no space left"),
        (PermissionError(errno.EACCES, "Permission denied", "/c/hub"), UsageError, "/c/hub: Permission denied"),
        (OSError(errno.EROFS, "Read-only file system", "/c/hub"), UsageError, "/c cannot be used: /c/hub: Read-only"),
        (CommandError(("mv",), 1, "mv: cannot move: Permission denied"), UsageError, "/c cannot be used: mv:"),
    ],
)
def test_a_cache_that_cannot_be_written(error: Exception, kind: type[BakerError], text: str) -> None:
    with pytest.raises(kind) as raised, cache.explained("/c"):
        raise error
    assert text in str(raised.value)
    assert "\n" not in str(raised.value)


def test_other_errors_stay_what_they_are() -> None:
    error: Any
    for error in (OSError(errno.EIO, "Input/output error"), CommandError(("mv",), 1, "mv: strange"), KeyError("x")):
        with pytest.raises(type(error)) as raised, cache.explained("/c"):
            raise error
        assert raised.value is error
