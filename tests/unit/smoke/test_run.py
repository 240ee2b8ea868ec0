"""The scripts of a smoke test: they speak what moshi-server speaks, and find CUDA's libraries and torch."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import msgpack
import pytest

from baker.synthetic import answers

FOLDER = Path(__file__).parents[3] / "dockerfiles/smoke"


def load(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


wire, machine = load("wire"), load("machine")


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
        {str(number): number for number in range(70000)},
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


def test_libraries_are_found_below_a_path_and_no_stub_is_taken(tmp_path, monkeypatch):
    for name in ("a/nvidia/cublas/lib/libcublas.so.12", "a/lib/stubs/libcublas.so.12", "b/libcurand.so.10"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    wanted, places = ["libcublas.so.12", "libcurand.so.10"], [str(tmp_path / "a"), str(tmp_path / "b")]
    found = [str(tmp_path / "a/nvidia/cublas/lib"), str(tmp_path / "b")]
    assert machine.libraries(wanted, places) == found
    # The server runs in another folder.
    monkeypatch.chdir(tmp_path)
    assert machine.libraries(wanted, ["a", "b"]) == found
    with pytest.raises(SystemExit, match=r"smoke: no libcurand.so.10 below .*--cuda-libraries"):
        machine.libraries(wanted, places[:1])


def test_torch_is_found_below_a_path(tmp_path, monkeypatch):
    for name in ("a/torch/lib/x.so", "b/lib/python3.13/site-packages/torch/version.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    site = str(tmp_path / "b/lib/python3.13/site-packages")
    assert machine.folder_of_torch([str(tmp_path / "a"), str(tmp_path / "b")]) == site
    monkeypatch.chdir(tmp_path)
    assert machine.folder_of_torch(["b"]) == site
    with pytest.raises(SystemExit, match=r"smoke: no torch below .*/a: name another path with --torch"):
        machine.folder_of_torch([str(tmp_path / "a")])
    with pytest.raises(SystemExit, match=r"smoke: no torch below nothing"):
        machine.folder_of_torch([])


def square(piece, rises, error=0.0):
    """Return a frame as the synthetic model says a piece, each sample by a relative error too small or too large."""
    top, frame = (piece + 1) / 64, []
    for sample in range(wire.FRAME):
        sign = 1 if int(sample * 2 * rises / wire.FRAME) % 2 else -1
        frame.append(sign * top * (1 + error * (-1) ** sample))
    return frame


@pytest.mark.parametrize("error", [0.0, 2**-10])
@pytest.mark.parametrize(("rises", "voice"), [(96, "A"), (16, "B"), (40, "40 rises")])
def test_frames_are_read_as_baker_reads_them(rises, voice, error):
    for piece in (4, 5, 36):
        assert wire.heard(square(piece, rises, error)) == [piece, voice]
    assert wire.heard([0.0005] * wire.FRAME) is None


def test_what_a_frame_says_is_what_the_answers_say():
    frame = square(7, 96)
    said = answers.heard(frame)
    assert said
    assert list(said) == wire.heard(frame)
