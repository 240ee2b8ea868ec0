"""A BatchedAsr model: silence gives nothing, quiet sound "hello", loud sound "world".

Names and shapes follow the crate moshi 0.6.4: seanet.rs, conv.rs, transformer.rs, quantization.rs, lm.rs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker.synthetic.weights import Weights, snapshot, write_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

REPOSITORY = "kyutai/stt-1b-en_fr-candle"
RATIOS, DIM, FILTERS, GAIN, AUDIO = (8, 6, 5, 4), 512, 64, 100.0, 2049
HEL, LO, WOR, LD = 4, 5, 6, 7
# Axes of the hidden state: what was said last, and what is heard.
IDLE, AFTER_HEL, AFTER_LO, AFTER_WOR, AFTER_LD, QUIET, LOUD, SILENT = range(8)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The sizes of a language model."""

    width: int
    heads: int
    text: int
    layers: int
    codebooks: int


TINY = Shape(width=64, heads=2, text=48, layers=2, codebooks=2)
# What upstream's own stt.toml says: 4.8 GB of memory.
UPSTREAM = Shape(width=2048, heads=16, text=8000, layers=16, codebooks=20)


def write_model(folder: Path, *, seen_as: str, causal: bool = True) -> None:
    """Write a tiny model and its config stt.toml; `seen_as` is the folder's path in the container.

    With `causal` false the model loop dies while it warms up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _mimi(TINY).write(folder / "mimi.safetensors", compact=True)
    _language_model(TINY).write(folder / "lm.safetensors", compact=True)
    write_tokenizer(folder / "tokenizer.model")
    (folder / "stt.toml").write_text(CONFIG.format(folder=seen_as, causal=str(causal).lower()))


def write_cache(home: Path) -> None:
    """Lay out a Hugging Face cache in which upstream's stt.toml finds everything it names."""
    folder = snapshot(home, REPOSITORY)
    _mimi(UPSTREAM).write(folder / "mimi-pytorch-e351c8d8@125.safetensors", compact=True)
    _language_model(UPSTREAM).write(folder / "model.safetensors", compact=True)
    write_tokenizer(folder / "tokenizer_en_fr_audio_8000.model")


def _conv(m: Weights, name: str, out: int, into: int, taps: int, *, values: dict[tuple[int, int, int], float]) -> None:
    flat = {(o * into + i) * taps + tap: value for (o, i, tap), value in values.items()}
    m.add(f"{name}.weight", out, into, taps, values=flat)
    m.add(f"{name}.bias", out)


def _residual(m: Weights, name: str, width: int) -> None:
    _conv(m, f"{name}.block.1.conv.conv", width // 2, width, 3, values={})
    _conv(m, f"{name}.block.3.conv.conv", width, width // 2, 1, values={})


def _mimi(shape: Shape) -> Weights:
    """The codec: the first codebook is the mean of |x| over a frame: 0 silence, 1 quiet, 2 loud."""
    m = Weights()
    # Channels 0 and 1 get ±GAIN·x; elu(+) + elu(-) = a + e^-a - 1, which is averaged over time.
    _conv(m, "encoder.model.0.conv.conv", FILTERS, 1, 7, values={(0, 0, 6): GAIN, (1, 0, 6): -GAIN})
    layer, width = 1, FILTERS
    for number, ratio in enumerate(reversed(RATIOS)):
        _residual(m, f"encoder.model.{layer}", width)
        taps, sources = 2 * ratio, (0, 1) if number == 0 else (0,)
        mean = {(0, source, tap): 1.0 / taps for source in sources for tap in range(taps)}
        _conv(m, f"encoder.model.{layer + 2}.conv.conv", 2 * width, width, taps, values=mean)
        layer, width = layer + 3, 2 * width
    _conv(m, f"encoder.model.{layer + 1}.conv.conv", DIM, width, 3, values={(0, 0, 2): 1.0})
    # The decoder is loaded and never run.
    _conv(m, "decoder.model.0.conv.conv", width, DIM, 7, values={})
    layer = 1
    for ratio in RATIOS:
        m.add(f"decoder.model.{layer + 1}.convtr.convtr.weight", width, width // 2, 2 * ratio)
        m.add(f"decoder.model.{layer + 1}.convtr.convtr.bias", width // 2)
        width //= 2
        _residual(m, f"decoder.model.{layer + 2}", width)
        layer += 3
    _conv(m, f"decoder.model.{layer + 1}.conv.conv", 1, width, 3, values={})
    for side in ("encoder", "decoder"):
        for number in range(8):
            _mimi_layer(m, f"{side}_transformer.transformer.layers.{number}.")
    m.add("downsample.conv.conv.conv.weight", DIM, DIM, 4, values=dict.fromkeys(range(4), 0.25))
    m.add("upsample.convtr.convtr.convtr.weight", DIM, 1, 4)
    for part, count in (("rvq_first", 1), ("rvq_rest", shape.codebooks - 1)):
        first = part == "rvq_first"
        m.add(f"quantizer.{part}.input_proj.weight", 256, DIM, 1, values={0: 1.0} if first else {})
        m.add(f"quantizer.{part}.output_proj.weight", DIM, 256, 1)
        for number in range(count):
            book = f"quantizer.{part}.vq.layers.{number}._codebook."
            m.add(f"{book}_initialized", 1, fill=1.0)
            m.add(f"{book}cluster_usage", 2048, fill=1.0)
            # Entries 1 and 2, quiet (about 5) and loud (about 50) on axis 0; every other one is 0.
            m.add(f"{book}embedding_sum", 2048, 256, values={256: 5.0, 512: 50.0} if first else {})
    return m


def _mimi_layer(m: Weights, name: str) -> None:
    for norm in ("norm1", "norm2"):
        m.add(f"{name}{norm}.weight", DIM, fill=1.0)
        m.add(f"{name}{norm}.bias", DIM)
    m.add(f"{name}self_attn.in_proj_weight", 3 * DIM, DIM)
    m.add(f"{name}self_attn.out_proj.weight", DIM, DIM)
    m.add(f"{name}linear1.weight", 2048, DIM)
    m.add(f"{name}linear2.weight", DIM, 2048)
    m.add(f"{name}layer_scale_1.scale", DIM)
    m.add(f"{name}layer_scale_2.scale", DIM)


def _language_model(shape: Shape) -> Weights:
    """Silence gives padding; quiet "hel", "lo"; loud "wor", "ld"; each word ends with 0. Head 2 predicts pauses."""
    m, width, start = Weights(), shape.width, shape.text
    last = {0: IDLE, 3: IDLE, start: IDLE, HEL: AFTER_HEL, LO: AFTER_LO, WOR: AFTER_WOR, LD: AFTER_LD}
    m.add("text_emb.weight", start + 1, width, values={token * width + axis: 1.0 for token, axis in last.items()})
    heard = {SILENT: 1.0, width + QUIET: 1.0, 2 * width + LOUD: 1.0, (AUDIO - 1) * width + SILENT: 1.0}
    for number in range(shape.codebooks):
        m.add(f"emb.{number}.weight", AUDIO, width, values={} if number else heard)
    m.add("out_norm.alpha", 1, 1, width, fill=1.0)
    scores = {
        3 * width + IDLE: 1.5,
        HEL * width + IDLE: 1.0,
        HEL * width + QUIET: 1.0,
        WOR * width + IDLE: 1.0,
        WOR * width + LOUD: 1.0,
        LO * width + AFTER_HEL: 3.0,
        LD * width + AFTER_WOR: 3.0,
        AFTER_LO: 3.0,
        AFTER_LD: 3.0,
    }
    # Ten times: upstream samples with temperature 0.25, whose noise must not change the answer.
    m.add("text_linear.weight", shape.text, width, values={index: 10 * score for index, score in scores.items()})
    for number in range(4):
        pause = {SILENT: 2.0, QUIET: -2.0, LOUD: -2.0} if number == 2 else {}
        m.add(f"extra_heads.{number}.weight", 6, width, values=pause)
    hidden = 11 * width // 4  # because the feed-forward is four times as wide as the model
    for number in range(shape.layers):
        layer = f"transformer.layers.{number}."
        m.add(f"{layer}norm1.alpha", 1, 1, width, fill=1.0)
        m.add(f"{layer}norm2.alpha", 1, 1, width, fill=1.0)
        m.add(f"{layer}self_attn.in_proj_weight", 3 * width, width)
        m.add(f"{layer}self_attn.out_proj.weight", width, width)
        m.add(f"{layer}gating.linear_in.weight", 2 * hidden, width)
        m.add(f"{layer}gating.linear_out.weight", width, hidden)
    return m


CONFIG = """\
static_dir = "./static/"
log_dir = "/tmp/unmute_logs"
instance_name = "stt"
authorized_ids = ["public_token"]

[modules.asr]
path = "/api/asr-streaming"
type = "BatchedAsr"
lm_model_file = "{folder}/lm.safetensors"
text_tokenizer_file = "{folder}/tokenizer.model"
audio_tokenizer_file = "{folder}/mimi.safetensors"
asr_delay_in_tokens = 6
batch_size = 2
conditioning_learnt_padding = true
temperature = 0.0

[modules.asr.model]
audio_vocab_size = 2049
text_in_vocab_size = 49
text_out_vocab_size = 48
audio_codebooks = 2

[modules.asr.model.transformer]
d_model = 64
num_heads = 2
num_layers = 2
dim_feedforward = 256
causal = {causal}
norm_first = true
bias_ff = false
bias_attn = false
context = 50
max_period = 100000
use_conv_block = false
use_conv_bias = true
gating = "silu"
norm = "RmsNorm"
positional_embedding = "Rope"
conv_layout = false
conv_kernel_size = 3
kv_repeat = 1
max_seq_len = 40960

[modules.asr.model.extra_heads]
num_heads = 4
dim = 6
"""
