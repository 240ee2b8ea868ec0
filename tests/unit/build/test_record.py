"""Records of builds are kept, a few of them, and survive damage."""

from __future__ import annotations

from msgspec.structs import replace

from baker.build import record
from tests.unit.build.test_estimate import build, ran


def test_the_newest_comes_first_and_few_are_kept(tmp_path):
    for number in range(record.KEPT + 2):
        record.write(replace(build(stages=(ran("toolchain"),)), started=float(number)), tmp_path)
    found = record.read(tmp_path)
    assert [item.started for item in found[:2]] == [record.KEPT + 1.0, float(record.KEPT)]
    assert len(found) == record.KEPT
    assert found[0].stages == (ran("toolchain"),)


def test_one_that_is_damaged_is_left_out(tmp_path):
    whole = record.write(build(), tmp_path)
    (whole.parent / "99.json").write_text('{"started": 1')
    assert record.read(tmp_path) == (build(),)
    assert record.read(tmp_path / "none") == ()
