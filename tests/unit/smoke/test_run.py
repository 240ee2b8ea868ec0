"""The script of a smoke test: it speaks what moshi-server speaks, and finds CUDA's libraries."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import msgpack
import pytest

FOLDER = Path(__file__).parents[3] / "dockerfiles/smoke"


def load(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


wire, run = load("wire"), load("run")


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        5,
        -3,
        200,
        70000,
        2**40,
        -200,
        -70000,
        1.5,
        "word",
        "x" * 40,
        "ü" * 300,
        [1, "two", [3.0]],
        list(range(20)),
        {"type": "Word", "text": "hello", "start_time": 0.5},
        {str(number): number for number in range(20)},
        b"bytes",
    ],
    ids=lambda value: repr(value)[:20],
)
def test_it_reads_what_others_write(value):
    content = msgpack.packb(value, use_bin_type=True)
    assert wire.unpacked(content, 0) == (value, len(content))
    short = msgpack.packb(value, use_bin_type=True, use_single_float=True)
    assert wire.unpacked(short, 0) == (value, len(short))


def test_others_read_what_it_writes():
    assert msgpack.unpackb(wire.packed({"type": "Marker", "id": 1})) == {"type": "Marker", "id": 1}
    frame = wire.tone(0.8, 0)
    assert msgpack.unpackb(wire.packed({"type": "Audio", "pcm": frame}))["pcm"] == pytest.approx(frame)


def test_libraries_are_found_below_a_path_and_no_stub_is_taken(tmp_path):
    for name in ("a/nvidia/cublas/lib/libcublas.so.12", "a/lib/stubs/libcublas.so.12", "b/libcurand.so.10"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    wanted, places = ["libcublas.so.12", "libcurand.so.10"], [str(tmp_path / "a"), str(tmp_path / "b")]
    assert run.libraries(wanted, places) == [str(tmp_path / "a/nvidia/cublas/lib"), str(tmp_path / "b")]
    with pytest.raises(SystemExit, match=r"smoke: no libcurand.so.10 below .*--cuda-libraries"):
        run.libraries(wanted, places[:1])
