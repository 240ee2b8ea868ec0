"""Which files a config makes the server load."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from baker.errors import UsageError
from baker.models import needs

TOP = Path(__file__).parents[3]
TTS = "kyutai/tts-1.6b-en_fr"
VOICES = needs.Voices(
    repo="kyutai/tts-voices", pattern="**/*.safetensors", default="unmute-prod-website/default_voice.wav"
)
PATHS = (
    "README.md",
    "barack_demo.wav.1e68beda@240.safetensors",
    "unmute-prod-website/default_voice.wav",
    "unmute-prod-website/default_voice.wav.1e68beda@240.safetensors",
    "unmute-prod-website/freesound/440565_why-is-there-educationwav.mp3.1e68beda@240.safetensors",
    "unmute-prod-website/p329_022.wav.1e68beda@240.safetensors",
    "vctk/p225_023.wav.1e68beda@240.safetensors",
)
NAMES = {
    "moshi_name": "dsm_tts_1e68beda@240.safetensors",
    "mimi_name": "tokenizer-e351c8d8-checkpoint125.safetensors",
    "tokenizer_name": "tokenizer_spm_8k_en_fr_audio.model",
}


def read(text: str) -> needs.Needs:
    return needs.collect([("tts.toml", tomllib.loads(text))])


def own(service: str) -> needs.Needs:
    path = TOP / f"services/{service}/configs/{service}.toml"
    return needs.collect([(str(path), tomllib.loads(path.read_text()))])


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
    assert found.files == (needs.File(repo=TTS, path="tokenizer_spm_8k_en_fr_audio.model"),)
    assert found.voices == (VOICES,)
    assert found.checkpoints == (needs.Checkpoint(repo=TTS, config=needs.File(repo=TTS, path="config.json"), given=()),)


def test_both_name_each_file_once() -> None:
    config = tomllib.loads('a = "hf://o/n/f"\nb = ["hf://o/n/f", {c = "hf://o/n/sub/g"}]')
    found = needs.collect([("one", config), ("two", config)])
    assert found.files == (needs.File(repo="o/n", path="f"), needs.File(repo="o/n", path="sub/g"))


@pytest.mark.parametrize(
    "name",
    [
        "hf://",
        "hf://o",
        "hf://o/n",
        "hf://o/n/",
        "hf:///n/f",
        "hf://../n/f",
        "hf://o/../f",
        "hf://o/n.git/f",
        "hf://o--p/n/f",
        "hf://-o/n/f",
        "hf://ö/n/f",
        "hf://o /n/f",
        f"hf://o/{'n' * 95}/f",
        "hf://o/n//f",
        "hf://o/n/../f",
        "hf://o/n/sub/./f",
        "hf://o/n/f\\nx",
        "hf://o/n/\\u0000",
    ],
)
def test_a_name_that_is_not_of_the_form(name: str) -> None:
    with pytest.raises(UsageError, match=r"tts\.toml: .*has not the form hf://ORG/NAME/FILE"):
        read(f'x = "{name}"')


@pytest.mark.parametrize("name", ["hf://o_p/N.1-x/sub/f@240.bin", "hf://1/2/3", "hf://o/n/voix d'été.wav"])
def test_a_name_of_the_form(name: str) -> None:
    assert [str(file) for file in read(f'x = "{name}"').files] == [name]


def test_a_checkpoint_names_its_files() -> None:
    (checkpoint,) = own("tts").checkpoints
    assert {file.path for file in needs.named_files(checkpoint, NAMES)} == set(NAMES.values())
    defaults = {"model.safetensors", "tokenizer-e351c8d8-checkpoint125.safetensors", "tokenizer_spm_32k_3.model"}
    assert {file.path for file in needs.named_files(checkpoint, {})} == defaults


def test_a_checkpoint_may_name_other_repositories_and_local_files() -> None:
    (checkpoint,) = own("tts").checkpoints
    names = {**NAMES, "mimi_name": "hf://o/n/mimi", "mimi_config_name": "file:///m.json", "lora_name": "lora"}
    found = needs.named_files(checkpoint, names)
    assert needs.File(repo="o/n", path="mimi") in found
    assert needs.File(repo=TTS, path="lora") in found
    assert len(found) == 4


def test_a_config_replaces_files_of_the_checkpoint() -> None:
    found = read('modules.m = {type = "Py", py = {hf_repo = "o/n", mimi_weight = "hf://p/q/mimi", tokenizer = "/t"}}')
    (checkpoint,) = found.checkpoints
    assert found.files == (needs.File(repo="p/q", path="mimi"),)
    assert needs.named_files(checkpoint, NAMES) == (needs.File(repo="o/n", path=NAMES["moshi_name"]),)


def test_a_config_path_of_the_hub_is_read_and_a_local_one_is_not() -> None:
    (checkpoint,) = read('modules.m = {type = "Py", py = {config_path = "hf://o/n/c.json"}}').checkpoints
    assert (checkpoint.config, checkpoint.repo) == (needs.File(repo="o/n", path="c.json"), TTS)
    with pytest.raises(
        UsageError, match=r"/c\.json is not read here.*: set mimi_weight and moshi_weight and tokenizer"
    ):
        read('modules.m = {type = "Py", py = {config_path = "/c.json"}}')
    whole = 'config_path = "/c.json", moshi_weight = "/m", mimi_weight = "/n", tokenizer = "/t"'
    assert read(f'modules.m = {{type = "Py", py = {{{whole}}}}}') == needs.Needs()


@pytest.mark.parametrize(
    "module", ['{type = "Py", script = "/mine.py"}', '{type = "PyPost"}', '{type = "Mimi"}', '{type = "Lm"}', '"none"']
)
def test_a_script_of_ones_own_loads_what_it_likes(module: str) -> None:
    assert read(f"modules.m = {module}") == needs.Needs()


def test_batched_recognition_in_python_has_local_defaults() -> None:
    with pytest.raises(UsageError, match="set mimi_weight beside it"):
        read('modules.m = {type = "PyBatchedAsr"}')
    found = read('modules.m = {type = "PyBatchedAsr", py = {mimi_weight = "hf://o/n/mimi"}}')
    assert (found.files, found.checkpoints) == ((needs.File(repo="o/n", path="mimi"),), ())


@pytest.mark.parametrize("folder", ["/models/voices", "voices"])
def test_voices_in_a_folder_are_no_need(folder: str) -> None:
    assert read(f'modules.m.py = {{voice_folder = "{folder}"}}') == needs.Needs()


@pytest.mark.parametrize("name", ["voices", "o//x", "../n/*", "o/n..m/*"])
def test_a_snapshot_without_a_repository(name: str) -> None:
    with pytest.raises(UsageError, match="has not the form hf-snapshot://ORG/NAME/PATTERN"):
        read(f'modules.m.py.voice_folder = "hf-snapshot://{name}"')


@pytest.mark.parametrize("name", ["a/b/c", "../n", "/tmp/model"])
def test_a_checkpoint_that_is_no_repository(name: str) -> None:
    with pytest.raises(UsageError, match=rf"tts\.toml: hf_repo = '{name}' has not the form ORG/NAME"):
        read(f'modules.m = {{type = "Py", py = {{hf_repo = "{name}"}}}}')


def test_voices_are_those_in_and_below_the_folder_of_the_default_one() -> None:
    assert needs.choose(VOICES, PATHS, everything=False) == PATHS[3:6]
    # "**/" asks for a folder, here as in the server's own snapshot_download.
    assert needs.choose(VOICES, PATHS, everything=True) == PATHS[3:]


# https://github.com/kyutai-labs/unmute/blob/f2725db13b510edc0b5d30ccb3f3fe8a7619b6cb/voices.yaml
@pytest.mark.parametrize(
    "voice",
    [
        "unmute-prod-website/p329_022.wav",
        "unmute-prod-website/freesound/519189_request-42---hmm-i-dont-knowwav.mp3",
        "unmute-prod-website/freesound/440565_why-is-there-educationwav.mp3",
        "unmute-prod-website/developer-1.mp3",
        "unmute-prod-website/ex04_narration_longform_00001.wav",
        "unmute-prod-website/degaulle-2.wav",
        "unmute-prod-website/developpeuse-3.wav",
        "unmute-prod-website/fabieng-enhanced-v2.wav",
    ],
)
def test_each_voice_of_unmute_is_fetched(voice: str) -> None:
    (voices,) = own("tts").voices
    path = f"{voice}.1e68beda@240.safetensors"
    assert needs.choose(voices, [path, "expresso/ex01.wav.1e68beda@240.safetensors"], everything=False) == (path,)


@pytest.mark.parametrize(
    ("pattern", "count"),
    [("", 7), ("*", 7), ("unmute-prod-website/*.safetensors", 3), ("unmute-prod-website/", 4), ("[a-c]*", 1)],
)
def test_patterns_are_huggingface_hubs(pattern: str, count: int) -> None:
    voices = needs.Voices(repo="o/n", pattern=pattern, default="x.wav")
    assert len(needs.choose(voices, PATHS, everything=True)) == count


def test_the_default_voice() -> None:
    assert needs.has_default(VOICES, PATHS)
    assert not needs.has_default(VOICES, PATHS[4:])
    (top,) = read('modules.m.py.voice_folder = "hf-snapshot://o/n"').voices
    assert needs.choose(top, PATHS, everything=False) == PATHS[:2]
