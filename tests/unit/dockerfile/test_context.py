"""The build context: what a project's folders may bring into it, and what writing it leaves alone."""

from __future__ import annotations

import os
import socket

import pytest

from baker.dockerfile import context, render
from baker.errors import UsageError


def file(path, content=b"new"):
    return render.Rendered(path=path, content=content, mode=0o644)


def copied(folder):
    return {found.path: found for found in render.copied(folder, "s", folder.resolve())}


def test_a_crlf_checkout_builds_the_same(tmp_path):
    (tmp_path / "script").write_bytes(b"#!/bin/sh\r\necho x\r\n")
    (tmp_path / "binary").write_bytes(b"\0\r\n")
    found = copied(tmp_path)
    assert found["s/script"].content == b"#!/bin/sh\necho x\n"
    assert found["s/script"].mode == 0o755
    assert found["s/binary"].content == b"\0\r\n"


def test_links_inside_are_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real/x").write_text("x")
    (tmp_path / "again").symlink_to("real")
    (tmp_path / "one").symlink_to("real/x")
    assert {path for path in copied(tmp_path) if copied(tmp_path)[path].content == b"x"} == {
        "s/real/x",
        "s/again/x",
        "s/one",
    }


def test_a_link_out_of_the_services_is_refused(tmp_path):
    (tmp_path / "secret").write_text("hush")
    (tmp_path / "services").mkdir()
    (tmp_path / "services/leak").symlink_to(tmp_path / "secret")
    with pytest.raises(UsageError, match=r"services/leak is a link out of .*, to .*/secret"):
        copied(tmp_path / "services")


@pytest.mark.parametrize(("target", "says"), [("nowhere", "leads nowhere"), ("x", "in a circle"), (".", "lies in")])
def test_links_that_lead_nowhere_or_round(tmp_path, target, says):
    (tmp_path / "x").symlink_to(target)
    with pytest.raises(UsageError, match=says):
        copied(tmp_path)


@pytest.mark.parametrize("kind", ["fifo", "socket"])
def test_what_is_no_file_is_refused_and_not_read(tmp_path, kind, monkeypatch):
    if kind == "fifo":
        os.mkfifo(tmp_path / "x")
    else:
        monkeypatch.chdir(tmp_path)
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("x")
    with pytest.raises(UsageError, match="neither a file nor a folder"):
        copied(tmp_path)


def test_what_a_context_no_longer_holds_is_removed_and_the_rest_stays(tmp_path):
    context.write((file("a/b"),), tmp_path)
    (tmp_path / "mine").write_text("x")
    context.write((file("c", b"2"),), tmp_path)
    assert not (tmp_path / "a").exists()
    assert (tmp_path / "c").read_bytes() == b"2"
    assert (tmp_path / "mine").exists()


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "Dockerfile").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        context.write((file("Dockerfile"),), tmp_path)
    assert (tmp_path / "Dockerfile").read_text() == "mine"


def test_a_file_that_somebody_put_into_a_context_is_refused(tmp_path):
    context.write((file("a"),), tmp_path)
    (tmp_path / "Dockerfile").write_text("mine")
    with pytest.raises(UsageError, match="not of an earlier context"):
        context.write((file("a"), file("Dockerfile")), tmp_path)
    assert (tmp_path / "Dockerfile").read_text() == "mine"


@pytest.mark.parametrize("path", ["../victim", "/victim", "a/../../victim", ".baker-context", "a//b"])
def test_a_marker_that_names_what_lies_outside_is_refused(tmp_path, path):
    (tmp_path / "victim").write_text("mine")
    out = tmp_path / "out"
    context.write((file("a"),), out)
    (out / context.MARKER).write_text(f"a\n{path}\n")
    with pytest.raises(UsageError, match="no file of a context"):
        context.write((file("a"),), out)
    assert (tmp_path / "victim").read_text() == "mine"


@pytest.mark.parametrize("linked", ["a", "folder", context.MARKER])
def test_nothing_is_written_through_a_link(tmp_path, linked):
    out, victim = tmp_path / "out", tmp_path / "victim"
    victim.mkdir()
    (victim / "x").write_text("mine")
    files = (file("a"), file("folder/x"))
    context.write(files, out)
    place = out / linked
    if place.is_dir():
        (place / "x").unlink()
        place.rmdir()
        place.symlink_to(victim)
    else:
        place.unlink()
        place.symlink_to(victim / "x")
    with pytest.raises(UsageError, match="is a link"):
        context.write(files, out)
    assert (victim / "x").read_text() == "mine"


def test_a_forbidden_folder(tmp_path):
    (tmp_path / "services").mkdir()
    for folder in (tmp_path / "services", tmp_path / "services/stt"):
        with pytest.raises(UsageError, match="is part of the project"):
            context.write((file("a"),), folder, forbidden=(tmp_path / "services",))
    assert not list((tmp_path / "services").iterdir())


def test_a_context_that_was_interrupted_is_written_again(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.chmod", full)
        with pytest.raises(UsageError, match="No space left"):
            context.write((file("a"), file("b")), tmp_path)
    context.write((file("a"), file("b")), tmp_path)
    assert (tmp_path / "b").read_bytes() == b"new"
