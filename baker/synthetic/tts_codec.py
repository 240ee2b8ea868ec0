"""The codec of the text-to-speech model: a code is a square wave's amplitude and frequency.

Names and shapes follow the Python package moshi 0.2.13: loaders.get_mimi.
"""

from __future__ import annotations

from typing import Any

from baker.synthetic.weights import Weights

DIM, FILTERS, FEED, QUANTIZED = 8, 4, 16, 8  # of the codec
RATIOS = (8, 6, 5, 4)
TEXT, CARD = 48, 128  # text pieces, audio codes
# Axes of the hidden state that say which of the two voices speaks.
VOICE_AXES = (0, 1)


def config(codebooks: int) -> dict[str, Any]:
    """Return what config.json says of the codec."""
    return {
        "sample_rate": 24000,
        "channels": 1,
        "frame_rate": 12.5,
        "seanet": {
            "channels": 1,
            "dimension": DIM,
            "causal": True,
            "n_filters": FILTERS,
            "n_residual_layers": 1,
            "activation": "ELU",
            "compress": 2,
            "dilation_base": 2,
            "disable_norm_outer_blocks": 0,
            "kernel_size": 7,
            "residual_kernel_size": 3,
            "last_kernel_size": 3,
            "norm": "none",
            "pad_mode": "constant",
            "ratios": RATIOS,
            "true_skip": True,
        },
        "quantizer": {
            "dimension": QUANTIZED,
            "n_q": codebooks,
            "bins": CARD,
            "input_dimension": DIM,
            "output_dimension": DIM,
        },
        "transformer": {
            "d_model": DIM,
            "num_heads": 2,
            "num_layers": 1,
            "causal": True,
            "layer_scale": 0.01,
            "context": 250,
            "conv_layout": True,
            "max_period": 10000,
            "gating": "none",
            "norm": "layer_norm",
            "positional_embedding": "rope",
            "dim_feedforward": FEED,
            "input_dimension": DIM,
            "output_dimensions": [DIM],
        },
    }


def code(piece: int, voice: int) -> int:
    """Return the audio code of a text piece in a voice."""
    return 1 + piece + TEXT * voice


def codec(codebooks: int) -> Weights:
    """Return the weights of the codec."""
    m = Weights()
    _declare_mimi(m, codebooks)
    for voice in VOICE_AXES:
        for piece in range(4, TEXT):
            book = "quantizer.rvq_first.vq.layers.0._codebook.embedding_sum"
            m.put(book, (piece + 1) / 64, code(piece, voice), voice)
        m.put("quantizer.rvq_first.output_proj.weight", 1, voice, voice, 0)
        for tap in range(2):
            m.put("upsample.convtr.convtr.convtr.weight", 1, voice, 0, tap)
        m.put("decoder.model.0.conv.conv.weight", 1, 2 * voice, voice, 6)
    for layer, source, target, taps in (
        (2, 0, 0, range(8)),  # channel 0 carries voice A, channel 2 voice B
        (2, 2, 2, range(8)),
        (5, 0, 0, range(6)),
        (5, 2, 2, range(3)),  # B: a square wave of 200 Hz on 2 and 3
        (5, 2, 3, range(3, 6)),
        (8, 0, 0, range(2)),  # A: one of 1200 Hz on 0 and 1
        (8, 0, 1, range(2, 5)),
        (8, 2, 2, range(5)),
        (8, 3, 3, range(5)),
        *((11, channel, channel, range(4)) for channel in range(4)),
    ):
        for tap in taps:
            m.put(f"decoder.model.{layer}.convtr.convtr.weight", 1, source, target, tap)
    for channel in range(4):
        m.put("decoder.model.14.conv.conv.weight", (1, -1)[channel % 2], 0, channel, 2)
    return m


def _conv(m: Weights, name: str, *shape: int, bias: int = 0) -> None:
    m.add(f"{name}.weight", *shape)
    m.add(f"{name}.bias", bias or shape[0])


def _residual(m: Weights, name: str, width: int) -> None:
    _conv(m, f"{name}.block.1.conv.conv", width // 2, width, 3)
    _conv(m, f"{name}.block.3.conv.conv", width, width // 2, 1)


def _declare_mimi(m: Weights, codebooks: int) -> None:
    """Add the codec's tensors, all of them zero or one."""
    _conv(m, "encoder.model.0.conv.conv", FILTERS, 1, 7)
    layer, width = 1, FILTERS
    for ratio in reversed(RATIOS):
        _residual(m, f"encoder.model.{layer}", width)
        _conv(m, f"encoder.model.{layer + 2}.conv.conv", 2 * width, width, 2 * ratio)
        layer, width = layer + 3, 2 * width
    _conv(m, f"encoder.model.{layer + 1}.conv.conv", DIM, width, 3)
    _conv(m, "decoder.model.0.conv.conv", width, DIM, 7)
    layer = 1
    for ratio in RATIOS:
        _conv(m, f"decoder.model.{layer + 1}.convtr.convtr", width, width // 2, 2 * ratio, bias=width // 2)
        layer, width = layer + 3, width // 2
        _residual(m, f"decoder.model.{layer - 1}", width)
    _conv(m, f"decoder.model.{layer + 1}.conv.conv", 1, width, 3)
    for side in ("encoder", "decoder"):
        name = f"{side}_transformer.transformer.layers.0."
        for norm in ("norm1", "norm2"):
            m.add(f"{name}{norm}.weight", DIM, fill=1.0)
            m.add(f"{name}{norm}.bias", DIM)
        m.add(f"{name}self_attn.in_projs.0.weight", 3 * DIM, DIM)
        m.add(f"{name}self_attn.out_projs.0.weight", DIM, DIM)
        m.add(f"{name}linear1.weight", FEED, DIM)
        m.add(f"{name}linear2.weight", DIM, FEED)
        m.add(f"{name}layer_scale_1.scale", DIM)
        m.add(f"{name}layer_scale_2.scale", DIM)
    m.add("downsample.conv.conv.conv.weight", DIM, DIM, 4)
    m.add("upsample.convtr.convtr.convtr.weight", DIM, 1, 4)
    for part, count in (("rvq_first", 1), ("rvq_rest", codebooks - 1)):
        m.add(f"quantizer.{part}.input_proj.weight", QUANTIZED, DIM, 1)
        m.add(f"quantizer.{part}.output_proj.weight", DIM, QUANTIZED, 1)
        for number in range(count):
            book = f"quantizer.{part}.vq.layers.{number}._codebook."
            m.add(f"{book}_initialized", 1, fill=1.0)
            m.add(f"{book}cluster_usage", CARD, fill=1.0)
            m.add(f"{book}embedding_sum", CARD, QUANTIZED)
