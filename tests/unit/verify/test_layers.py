"""What is kept of layers that were read: for all projects of a user, the ones that were used last."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from baker.verify import layers
from baker.verify.layers import Layer

SECRET = Layer(secrets=("/app/token",), large=())


def looked(monkeypatch, folder, *digests, found=layers.EMPTY):
    """Look at an image of some layers; return what was read for that, and whether it passed."""
    read: list[str] = []

    def reading(_engine, image, known):
        read.extend(digest for digest in image.layers if digest not in known)
        return dict.fromkeys(read, found)

    monkeypatch.setattr(layers, "read", reading)
    image: Any = SimpleNamespace(name="speech/stt", layers=digests)
    engine: Any = None
    secrets, _ = layers.check(engine, image, folder=folder, say=lambda _: None)
    return read, secrets.passed


def test_what_one_project_has_read_no_other_reads(monkeypatch, tmp_path):
    assert looked(monkeypatch, tmp_path / "new", "a", "b") == (["a", "b"], True)
    assert looked(monkeypatch, tmp_path / "new", "a", "b", "c") == (["c"], True)
    assert looked(monkeypatch, tmp_path / "new", "a", "c") == ([], True)


def test_a_secret_that_was_found_once_is_found_again(monkeypatch, tmp_path):
    assert looked(monkeypatch, tmp_path, "a", found=SECRET) == (["a"], False)
    assert looked(monkeypatch, tmp_path, "a") == ([], False)


def test_the_ones_that_were_used_last_are_kept(monkeypatch, tmp_path):
    monkeypatch.setattr(layers, "KEPT", 3)
    looked(monkeypatch, tmp_path, "base", "one")
    looked(monkeypatch, tmp_path, "base", "two")
    looked(monkeypatch, tmp_path, "base", "three")
    assert looked(monkeypatch, tmp_path, "base", "two", "three")[0] == []
    assert looked(monkeypatch, tmp_path, "base", "one")[0] == ["one"]


def test_two_builds_at_once_keep_what_both_have_read(monkeypatch, tmp_path):
    looked(monkeypatch, tmp_path, "a")
    before = layers._kept(tmp_path)
    looked(monkeypatch, tmp_path, "b")
    layers._keep(tmp_path, {**before, "c": layers.EMPTY}, ["c"])
    assert looked(monkeypatch, tmp_path, "a", "b", "c")[0] == []


@pytest.mark.parametrize("content", ["", "[]", '{"rules": "of another version", "layers": {}}'])
def test_a_file_that_is_damaged_or_of_another_version_is_none(monkeypatch, tmp_path, content):
    looked(monkeypatch, tmp_path, "a")
    (tmp_path / layers.NAME).write_text(content)
    assert looked(monkeypatch, tmp_path, "a")[0] == ["a"]


@pytest.mark.parametrize("folder", [None, "file"])
def test_a_folder_that_is_not_there_or_cannot_be_one_is_no_failure(monkeypatch, tmp_path, folder):
    (tmp_path / "file").touch()
    place = tmp_path / folder if folder else None
    assert looked(monkeypatch, place, "a") == (["a"], True)
    assert looked(monkeypatch, place, "a") == (["a"], True)
