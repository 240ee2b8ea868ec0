"""How much a builder keeps: texts are those of buildx 0.13 and 0.29 with Docker 20.10, 26.1 and 28.5."""

from __future__ import annotations

import pytest

from baker.buildkit import storage
from baker.system.units import GIGABYTE

NODE = "Name:   default\nDriver: docker\n\nNodes:\nName:             default\nStatus:           running\n"
OLD = """\
GC Policy rule#0:
 All:           false
 Filters:       type==source.local,type==exec.cachemount,type==source.git.checkout
 Keep Duration: 48h0m0s
 Keep Bytes:    488.3MiB
GC Policy rule#1:
 All:        true
 Keep Bytes: 2GiB
"""
DEFAULT_28 = """\
GC Policy rule#0:
 All:            false
 Keep Duration:  48h0m0s
 Max Used Space: 3.346GiB
GC Policy rule#1:
 All:            true
 Reserved Space: 24.21GiB
 Max Used Space: 188.1GiB
 Min Free Space: 47.5GiB
"""
SMALL_28 = "GC Policy rule#0:\n All:            true\n Reserved Space: 2GiB\n"
ONLY_FREE = "GC Policy rule#0:\n All:            true\n Reserved Space: 2GiB\n Min Free Space: 47.5GiB\n"


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        ("", 0),
        (OLD, 2 * 2**30),
        (OLD + "Name: other\n" + OLD.replace("2GiB", "1GiB"), 2**30),
        (OLD + "Name: other\nStatus: running\n", 2 * 2**30),
        (DEFAULT_28, int(188.1 * 2**30)),
        (SMALL_28, 2 * 2**30),
        (ONLY_FREE, 0),
        ("GC Policy rule#0:\n All: true\n Keep Bytes: 0B\n", 0),
        ("GC Policy rule#0:\n All: true\n Keep Bytes: much\n", 0),
    ],
)
def test_what_is_kept(rules, kept):
    assert storage.kept(NODE + rules) == kept


@pytest.mark.parametrize("kept", [0, 30 * GIGABYTE, 188 * GIGABYTE])
def test_nothing_is_said_of_a_builder_that_keeps_enough(kept):
    assert storage.warning(kept, 30 * GIGABYTE) == ""


def test_a_small_cache_is_told_with_what_helps():
    said = storage.warning(2 * 2**30, 15 * GIGABYTE)
    assert said.startswith("this builder keeps 2.1 GB of build cache, and the stages of a build take about 15 GB")
    assert "defaultKeepStorage" in said
