"""A model for the embedded tts.py: each text piece becomes one frame of a square wave.

The amplitude is the piece's number, the frequency the voice: 1200 Hz for A, 200 Hz for B. Names and shapes follow the
Python package moshi 0.2.13: loaders.get_moshi_lm and loaders.get_mimi.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from baker.synthetic import tts_codec
from baker.synthetic.tts_codec import CARD, TEXT, VOICE_AXES, code
from baker.synthetic.weights import Weights, snapshot, write_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

REPOSITORY, VOICES = "kyutai/tts-1.6b-en_fr", "kyutai/tts-voices"
SIGNATURE, EPOCH = "1e68beda", 240
DEFAULT_VOICE, OTHER_VOICE = "unmute-prod-website/default_voice.wav", "test/b.wav"
WIDTH, VOICE_WIDTH = 64, 16  # width, voice embedding
# Axes of the hidden state: a constant 1, and the two voices; of the depformer's: the voices. Piece t is axis t there.
ONE, DEP_VOICE_AXES = 5, (60, 61)
LM, MIMI = "model.safetensors", "mimi.safetensors"


@dataclass(frozen=True, kw_only=True)
class Names:
    """What config.json calls the files, and how many codebooks there are."""

    tokenizer: str
    mimi_config: str
    codebooks: int


def write_model(folder: Path, *, seen_as: str) -> None:
    """Write a model and its config tts.toml; `seen_as` is the folder's path in the container."""
    names = Names(tokenizer="tokenizer.model", mimi_config=f"file://{seen_as}/mimi.json", codebooks=4)
    _write(folder, folder / "voices", names)
    (folder / "tts.toml").write_text(CONFIG.format(folder=seen_as))


def write_cache(home: Path) -> None:
    """Lay out a Hugging Face cache in which upstream's tts.toml finds everything it names."""
    names = Names(tokenizer="tokenizer_spm_8k_en_fr_audio.model", mimi_config="mimi.json", codebooks=32)
    _write(snapshot(home, REPOSITORY), snapshot(home, VOICES), names)


def _write(folder: Path, voices: Path, names: Names) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(_config(names)))
    (folder / "mimi.json").write_text(json.dumps(tts_codec.config(names.codebooks)))
    _language_model(names.codebooks).write(folder / LM)
    tts_codec.codec(names.codebooks).write(folder / MIMI)
    write_tokenizer(folder / names.tokenizer)
    for axis, name in enumerate((DEFAULT_VOICE, OTHER_VOICE)):
        voice = Weights()
        voice.add("speaker_wavs", 1, VOICE_WIDTH, 10)
        for step in range(10):
            voice.put("speaker_wavs", 100, 0, axis, step)
        voice.write(voices / f"{name}.{SIGNATURE}@{EPOCH}.safetensors")


def _config(names: Names) -> dict[str, Any]:
    def table(values: list[str]) -> dict[str, Any]:
        inner = {"n_bins": len(values), "dim": 16, "tokenizer": "noop", "possible_values": values}
        return {"type": "lut", "lut": inner}

    count = names.codebooks
    return {
        "model_type": "tts",
        "moshi_name": LM,
        "mimi_name": MIMI,
        "mimi_config_name": names.mimi_config,
        "tokenizer_name": names.tokenizer,
        "dim": WIDTH,
        "text_card": TEXT,
        "text_card_out": 5,
        "existing_text_padding_id": 3,
        "n_q": count,
        "dep_q": count,
        "card": CARD,
        "delays": [0, 0] + [2] * (count - 1),
        "num_heads": 2,
        "num_layers": 1,
        "hidden_scale": 4.125,
        "causal": True,
        "layer_scale": None,
        "context": 50,
        "max_period": 10000,
        "gating": "silu",
        "norm": "rms_norm_f32",
        "positional_embedding": "rope",
        "demux_second_stream": True,
        "depformer_dim": WIDTH,
        "depformer_dim_feedforward": 128,
        "depformer_num_heads": 2,
        "depformer_num_layers": 1,
        "depformer_layer_scale": None,
        "depformer_multi_linear": True,
        "depformer_context": count,
        "depformer_max_period": 10000,
        "depformer_gating": "silu",
        "depformer_pos_emb": "none",
        "depformer_weights_per_step": True,
        "tts_config": {"audio_delay": 0.16, "second_stream_ahead": 2},
        "model_id": {"sig": SIGNATURE, "epoch": EPOCH},
        "cross_attention": True,
        "conditioners": {
            "speaker_wavs": {"type": "tensor", "tensor": {"dim": VOICE_WIDTH}},
            "cfg": table(["1.0", "1.5", "2.0", "2.5", "3.0", "3.5", "4.0"]),
            "control": table(["ok"]),
        },
        "fuser": {
            "cross_attention_pos_emb": True,
            "cross_attention_pos_emb_scale": 1,
            "sum": ["control", "cfg"],
            "prepend": [],
            "cross": ["speaker_wavs"],
        },
    }


def _language_model(codebooks: int) -> Weights:
    m = Weights()
    _declare(m, codebooks)
    for piece in range(TEXT + 1):
        m.put("text_emb.weight", 1, piece, ONE)
    for axis in range(WIDTH):
        m.put("text_emb.out1.weight", 1, axis, axis)
        m.put("depformer_text_emb.out1.weight", 1, axis, axis)
    # The text head always says "new word", so that the padding rules alone set the pace.
    for axis in (ONE, *VOICE_AXES):
        m.put("text_linear.weight", 100, 0, axis)
    attention = "transformer.layers.0.cross_attention."
    for voice in VOICE_AXES:
        m.put("condition_provider.conditioners.speaker_wavs.output_proj.weight", 1, voice, voice)
        m.put(f"{attention}in_projs.0.weight", 1, 2 * WIDTH + voice, voice)
        m.put(f"{attention}out_projs.0.weight", 1, voice, voice)
        m.put("depformer_in.0.weight", 1 / 16, DEP_VOICE_AXES[voice], voice)
    for piece in range(TEXT):
        m.put("depformer_text_emb.weight", 1, piece, piece)
        if piece < 4:  # control pieces and padding are silent
            m.put("linears.0.weight", 300, 0, piece)
            continue
        for voice in VOICE_AXES:
            m.put("linears.0.weight", (120, 100)[voice], code(piece, voice), piece)
            m.put("linears.0.weight", 100, code(piece, voice), DEP_VOICE_AXES[voice])
    return m


def _declare(m: Weights, codebooks: int) -> None:
    """Add the language model's tensors, all of them zero or one."""
    hidden, dep_hidden = (2 * size // 3 for size in (int(4.125 * WIDTH), 128))
    for number in range(codebooks):
        m.add(f"emb.{number}.weight", CARD + 1, WIDTH)
    for name in ("text_emb", "depformer_text_emb"):
        m.add(f"{name}.weight", TEXT + 1, WIDTH)
        m.add(f"{name}.out1.weight", WIDTH, WIDTH)
        m.add(f"{name}.out2.weight", WIDTH, WIDTH)
    m.add("text_linear.weight", 5, WIDTH)
    m.add("out_norm.alpha", 1, 1, WIDTH, fill=1.0)
    layer, dep = "transformer.layers.0.", "depformer.layers.0."
    for name in (layer, dep):
        m.add(f"{name}norm1.alpha", 1, 1, WIDTH, fill=1.0)
        m.add(f"{name}norm2.alpha", 1, 1, WIDTH, fill=1.0)
    for attention in ("self_attn", "cross_attention"):
        m.add(f"{layer}{attention}.in_projs.0.weight", 3 * WIDTH, WIDTH)
        m.add(f"{layer}{attention}.out_projs.0.weight", WIDTH, WIDTH)
    m.add(f"{layer}norm_cross.weight", WIDTH, fill=1.0)
    m.add(f"{layer}norm_cross.bias", WIDTH)
    m.add(f"{layer}gating.linear_in.weight", 2 * hidden, WIDTH)
    m.add(f"{layer}gating.linear_out.weight", WIDTH, hidden)
    for number in range(codebooks):
        m.add(f"depformer_in.{number}.weight", WIDTH, WIDTH)
        m.add(f"linears.{number}.weight", CARD, WIDTH)
        if number < codebooks - 1:
            m.add(f"depformer_emb.{number}.weight", CARD + 1, WIDTH)
        m.add(f"{dep}self_attn.in_projs.{number}.weight", 3 * WIDTH, WIDTH)
        m.add(f"{dep}self_attn.out_projs.{number}.weight", WIDTH, WIDTH)
        m.add(f"{dep}gating.{number}.linear_in.weight", 2 * dep_hidden, WIDTH)
        m.add(f"{dep}gating.{number}.linear_out.weight", WIDTH, dep_hidden)
    for name, bins in (("speaker_wavs", 0), ("cfg", 7), ("control", 1)):
        conditioner = f"condition_provider.conditioners.{name}."
        m.add(f"{conditioner}learnt_padding", 1, 1, WIDTH)
        m.add(f"{conditioner}output_proj.weight", WIDTH, 16)
        if bins:
            m.add(f"{conditioner}embed.weight", bins + 1, 16)


CONFIG = """\
static_dir = "./static/"
log_dir = "/tmp/unmute_logs"
instance_name = "tts"
authorized_ids = ["public_token"]

[modules.tts_py]
type = "Py"
path = "/api/tts_streaming"
text_tokenizer_file = "{folder}/tokenizer.model"
batch_size = 2
text_bos_token = 1

[modules.tts_py.py]
device = "cpu"
log_folder = "/tmp/unmute_logs"
config_path = "{folder}/config.json"
moshi_weight = "{folder}/model.safetensors"
mimi_weight = "{folder}/mimi.safetensors"
tokenizer = "{folder}/tokenizer.model"
voice_folder = "{folder}/voices"
default_voice = "unmute-prod-website/default_voice.wav"
cfg_coef = 2.0
padding_between = 1
n_q = 4
"""
