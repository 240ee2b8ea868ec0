"""Tensors that are nearly all zero, and the sentencepiece model, written with the standard library alone."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COMMIT = "0" * 40
# (piece, kind): 1 normal, 2 unknown, 3 control
PIECES: tuple[tuple[str, int], ...] = (
    ("<unk>", 2),
    ("<s>", 3),
    ("</s>", 3),
    ("<pad>", 3),
    *((word, 1) for word in ("\u2581hel", "lo", "\u2581wor", "ld", "\u2581")),
    *((letter, 1) for letter in "abcdefghijklmnopqrstuvwxyz',.!?"),
)


@dataclass
class Tensor:
    """A tensor of one value, but for some elements, which are by flat index."""

    shape: tuple[int, ...]
    fill: float
    values: dict[int, float] = field(default_factory=dict)


class Weights:
    """Tensors by name, as a safetensors file holds them. What is zero is a hole in a sparse file."""

    def __init__(self) -> None:
        self._tensors: dict[str, Tensor] = {}

    def add(self, name: str, *shape: int, fill: float = 0.0, values: Mapping[int, float] | None = None) -> None:
        """Add a tensor; `values` are by flat index."""
        assert name not in self._tensors, name
        self._tensors[name] = Tensor(shape, fill, dict(values or {}))

    def put(self, name: str, value: float, *index: int) -> None:
        """Set one element."""
        tensor = self._tensors[name]
        assert len(index) == len(tensor.shape), (name, index)
        flat = 0
        for position, size in zip(index, tensor.shape, strict=True):
            assert 0 <= position < size, (name, index)
            flat = flat * size + position
        tensor.values[flat] = value

    def write(self, path: Path, *, compact: bool = False) -> None:
        """Write float32; `compact` stores tensors of zeros as bytes, which candle converts as it loads them."""
        path.parent.mkdir(parents=True, exist_ok=True)
        head: dict[str, object] = {}
        offset, places = 0, []
        for name, tensor in sorted(self._tensors.items(), key=lambda item: compact and _zero(item[1])):
            small = compact and _zero(tensor)
            size = prod(tensor.shape) * (1 if small else 4)
            head[name] = {
                "dtype": "U8" if small else "F32",
                "shape": list(tensor.shape),
                "data_offsets": [offset, offset + size],
            }
            places.append((offset, tensor))
            offset += size
        raw = json.dumps(head, separators=(",", ":")).encode()
        raw += b" " * (-len(raw) % 8)
        with path.open("wb") as file:
            file.write(struct.pack("<Q", len(raw)) + raw)
            base = file.tell()
            file.truncate(base + offset)
            for start, tensor in places:
                if tensor.fill:
                    file.seek(base + start)
                    file.write(struct.pack("<f", tensor.fill) * prod(tensor.shape))
                for index, value in tensor.values.items():
                    file.seek(base + start + 4 * index)
                    file.write(struct.pack("<f", value))


def _zero(tensor: Tensor) -> bool:
    return not tensor.fill and not tensor.values


def snapshot(home: Path, repository: str) -> Path:
    """Lay out a repository in a Hugging Face cache (`home` is HF_HOME) and return its snapshot's folder."""
    folder = home / "hub" / f"models--{repository.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True, exist_ok=True)
    (folder / "refs" / "main").write_text(COMMIT)
    found = folder / "snapshots" / COMMIT
    found.mkdir(parents=True, exist_ok=True)
    return found


def write_tokenizer(path: Path) -> None:
    """Write a sentencepiece unigram model of PIECES: unknown 0, beginning 1, end 2, padding 3."""
    out = b""
    for number, (piece, kind) in enumerate(PIECES):
        score = _field(2, 5, struct.pack("<f", -float(number)))
        out += _field(1, 2, _field(1, 2, piece.encode()) + score + _field(3, 0, _varint(kind)))
    special = b"".join(_field(40 + number, 0, _varint(number)) for number in range(4))
    out += _field(2, 2, _field(3, 0, _varint(1)) + _field(4, 0, _varint(len(PIECES))) + special)
    out += _field(3, 2, _field(1, 2, b"identity") + _field(3, 0, _varint(1)) + _field(4, 0, _varint(1)))
    path.write_bytes(out)


def _varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def _field(number: int, wire: int, payload: bytes) -> bytes:
    return _varint(number << 3 | wire) + (_varint(len(payload)) if wire == 2 else b"") + payload
