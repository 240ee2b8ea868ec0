"""A measurement that fails does not lose those before it."""

from __future__ import annotations

import json
import sys

import pytest

from baker import cli
from baker.bench import suite
from baker.bench.images.timing import Row
from baker.bench.startup import ways
from baker.bench.startup.result import BAKED, RESTART, Measurement
from baker.errors import InterruptedBuildError
from tests.unit.benchmarks import EMPTY

RESULT = EMPTY.plus(Measurement(way=BAKED, scenario=RESTART, run=1, seconds=1.5))


def bench(monkeypatch, capsys, *argv):
    monkeypatch.setattr(sys, "argv", ["baker", "bench", *argv])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code, capsys.readouterr()


@pytest.fixture
def bench_full(monkeypatch, capsys):
    """Run a benchmark: sizes are measured; the disk is full when the start is."""

    def sizes(*_):
        yield Row(what="size of a/stt", unit="GB", found=1.25)
        yield Row(what="size of a/tts", unit="GB", found=7.5)

    def start(*_):
        yield Row(what="a start", unit="s", found=0.7)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(suite, "OTHERS", {"sizes": sizes, "start": start})
    return lambda *argv: bench(monkeypatch, capsys, "sizes", "start", *argv)


def test_a_full_disk_at_the_last_one_loses_nothing(bench_full, tmp_path):
    code, said = bench_full(f"--write={tmp_path / 'docs'}")
    assert code == 4
    assert "no space left" in said.err
    assert [line.split(" | ")[:2] for line in said.out.splitlines()[2:]] == [
        ["| size of a/stt", "1.250 GB"],
        ["| size of a/tts", "7.500 GB"],
        ["| a start", "0.700 s"],
    ]
    assert not (tmp_path / "docs").exists()


def test_what_is_printed_as_json_can_be_read(bench_full):
    _, said = bench_full("--json")
    assert [row["found"] for row in json.loads(said.out)["rows"]] == [1.25, 7.5, 0.7]


def test_ctrl_c_prints_the_ways_so_far(monkeypatch, capsys):
    def measure(*_, seen, **__):
        seen(RESULT)
        raise InterruptedBuildError("interrupted: --resume goes on")

    monkeypatch.setattr(ways, "measure", measure)
    code, said = bench(monkeypatch, capsys, "--quick")
    assert code == 130
    assert "--resume goes on" in said.err
    assert "| restart |  |  | 1.50 s |" in said.out


def test_nothing_measured_prints_nothing(monkeypatch, capsys):
    def measure(*_, seen, **__):
        del seen
        raise InterruptedBuildError("interrupted")

    monkeypatch.setattr(ways, "measure", measure)
    assert bench(monkeypatch, capsys, "--quick")[1].out == ""
