"""Telling baker's part of a builder's cache from the rest."""

from __future__ import annotations

import pytest

from baker import buildcache, run
from baker.errors import UsageError
from baker.ledger import Entry
from baker.stages import Stage

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


def found(monkeypatch, *blocks):
    monkeypatch.setattr(run, "capture", lambda _argv: "\n\n".join((*blocks, "Reclaimable:\t1GB\nTotal:\t1GB\n")))
    return buildcache.records("", MADE)


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
def test_what_is_bakers(monkeypatch, description, name):
    records = found(monkeypatch, told(description))
    assert [(item.kind, item.name) for item in records] == ([name] if name else [])


def test_what_is_in_use_is_left_alone(monkeypatch):
    assert found(monkeypatch, told("[toolchain 3/3] COPY a /a", reclaimable="false")) == ()


@pytest.mark.parametrize("word", ["true", "false"])
def test_what_an_image_has_too(monkeypatch, word):
    assert found(monkeypatch, told("[toolchain 3/3] COPY a /a", shared=word))[0].shared == (word == "true")


@pytest.mark.parametrize(
    ("used", "hours"),
    [("About an hour ago", 1), ("2 days ago", 48), ("Less than a second ago", 1 / 3600), ("", float("inf"))],
)
def test_ages(monkeypatch, used, hours):
    assert found(monkeypatch, told("[toolchain 3/3] COPY a /a", used=used))[0].age == hours


def test_the_oldest_go_first_until_little_enough_is_left(monkeypatch):
    ages = {"old": "2 weeks ago", "older": "2 months ago", "new": "5 minutes ago"}
    records = found(monkeypatch, *(told("[toolchain 3/3] COPY a /a", name, used=used) for name, used in ages.items()))

    def chosen(**limits):
        return [item.id for item in buildcache.doomed(records, **limits)]

    assert chosen(older=0, keep=0) == ["older", "old", "new"]
    assert chosen(older=24, keep=0) == ["older", "old"]
    assert chosen(older=0, keep=3 * 10**9) == ["older"]
    assert chosen(older=24 * 365, keep=0) == []


def test_what_others_stand_on_goes_last(monkeypatch):
    records = found(
        monkeypatch,
        told("[toolchain 3/3] COPY a /a", "below", size="2GB"),
        told("[toolchain 3/3] COPY a /a", "above", parent="below"),
    )
    asked: list[str] = []

    def prune(argv):
        asked.append(argv[-1])
        return asked[-1].partition("id=")[2]

    monkeypatch.setattr(run, "capture", prune)
    assert [item.id for item in buildcache.remove("", records)] == ["above", "below"]
    assert asked == ["--filter=id=above", "--filter=id=below"]


@pytest.mark.parametrize(("read", "text"), [(buildcache.hours, "a week"), (buildcache.size, "much")])
def test_words_that_are_no_age_or_size(read, text):
    with pytest.raises(UsageError, match="write a"):
        read(text)
