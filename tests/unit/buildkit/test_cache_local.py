"""Telling baker's part of a builder's cache from the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from baker.buildkit import cache_local
from baker.buildkit.history import Entry
from baker.dockerfile.stages import Stage
from baker.errors import EngineError
from tests.unit.fakes import FakeEngine

MADE = (
    Entry(
        builder="b",
        seconds=0,
        stage=Stage(
            name="toolchain",
            layers="1",
            own="2",
            whole="3",
            parent="",
            image="root",
            sources=(),
            instructions=(
                "FROM root",
                "RUN --mount=type=cache,id=baker-apt,target=/a apt-get install g++",
                "COPY a /a",
            ),
            inputs=(),
        ),
    ),
)
BLOCK = "ID:\t\t{}\nParent:\t\t{}\nReclaimable:\t{}\nShared:\t\t{}\nSize:\t\t{}\nDescription:\t{}\nLast used:\t{}\n"


def told(description, number="x", parent="", size="1.5GB", used="3 days ago", reclaimable="true", shared="false"):
    return BLOCK.format(number, parent, reclaimable, shared, size, description, used)


def found(*blocks):
    told = "\n\n".join((*blocks, "Reclaimable:\t1GB\nTotal:\t1GB\n"))
    return cache_local.records(FakeEngine(commands={"buildx du": told}), "", MADE)


@pytest.mark.parametrize(
    ("description", "name"),
    [
        ('cached mount /a from exec /bin/sh -c true with id "/baker-uv"', ("mount", "baker-uv")),
        ("mount / from exec /bin/sh -c apt-get  install g++", ("layer", "toolchain")),
        ("[toolchain 3/3] COPY a /a", ("layer", "toolchain")),
        ("[toolchain 3/3] LINK COPY a /a", ("layer", "toolchain")),
        ('cached mount /a from exec /bin/sh -c true with id "/other"', None),
        ('cached mount /baker-uv from exec /bin/sh -c true with id "/mybaker-uv"', None),
        ("mount / from exec /bin/sh -c apt-get install g++ make", None),
        ("[toolchain 3/3] COPY b /b", None),
        ("[other 3/3] COPY a /a", None),
        ("local source for context", None),
    ],
)
def test_what_is_bakers(description, name):
    records = found(told(description))
    assert [(item.kind, item.name) for item in records] == ([name] if name else [])


def test_what_is_in_use_is_left_alone():
    assert found(told("[toolchain 3/3] COPY a /a", reclaimable="false")) == ()


@pytest.mark.parametrize("word", ["true", "false"])
def test_what_an_image_has_too(word):
    assert found(told("[toolchain 3/3] COPY a /a", shared=word))[0].shared == (word == "true")


@pytest.mark.parametrize(
    ("used", "hours"),
    [("About an hour ago", 1), ("2 days ago", 48), ("Less than a second ago", 1 / 3600), ("", float("inf"))],
)
def test_ages(used, hours):
    assert found(told("[toolchain 3/3] COPY a /a", used=used))[0].age == hours


def test_the_oldest_go_first_until_little_enough_is_left():
    ages = {"old": "2 weeks ago", "older": "2 months ago", "new": "5 minutes ago"}
    records = found(*(told("[toolchain 3/3] COPY a /a", name, used=used) for name, used in ages.items()))

    def chosen(**limits):
        return [item.id for item in cache_local.doomed(records, **limits)]

    assert chosen(older=0, keep=0) == ["older", "old", "new"]
    assert chosen(older=24, keep=0) == ["older", "old"]
    assert chosen(older=0, keep=3 * 10**9) == ["older"]
    assert chosen(older=24 * 365, keep=0) == []


def test_what_others_stand_on_goes_last():
    records = found(
        told("[toolchain 3/3] COPY a /a", "below", size="2GB"),
        told("[toolchain 3/3] COPY a /a", "above", parent="below"),
    )
    engine = FakeEngine(commands={"buildx prune": lambda argv: argv[-1].partition("id=")[2]})
    assert [item.id for item in cache_local.remove(engine, "", records)] == ["above", "below"]
    assert [argv[-1] for argv in engine.asked] == ["--filter=id=above", "--filter=id=below"]


def test_which_stages_the_builder_still_has():
    stage = MADE[0].stage
    others = (replace(stage, name="bare", instructions=("FROM x", "ENV A=1")), replace(stage, name="other"))
    blocks = (told("[toolchain 3/3] LINK COPY a /a"), told("mount / from exec /bin/sh -c apt-get  install g++"))

    def has(*given):
        engine = FakeEngine(commands={"buildx du": "\n\n".join(given)})
        return cache_local.kept(engine, "", (stage, *others))

    assert has(*blocks) == {"toolchain", "bare"}
    assert has() == {"bare"}
    run = replace(stage, instructions=stage.instructions[:2])
    engine = FakeEngine(commands={"buildx du": "\n\n".join(blocks)})
    assert cache_local.kept(engine, "", (run,)) == {"toolchain"}
    # BuildKit 0.8 calls every COPY the same: the last RUN tells.
    assert has(blocks[1], told("fileop target")) == {"toolchain", "other", "bare"}
    assert has(told("fileop target")) == {"bare"}


def test_a_builder_that_does_not_say():
    with pytest.raises(EngineError, match="does not say"):
        cache_local.kept(FakeEngine(commands={}), "", ())
