"""A hub's answers: read into values, or refused with the name of the hub."""

from __future__ import annotations

from typing import Any

import pytest

from baker.errors import NetworkError
from baker.models.listing import Entry, Reader, is_path

READ = Reader(hub="https://hub.example", repo="o/n")
BLOB, SHA256 = "0123456789abcdef" * 2 + "01234567", "0123456789abcdef" * 4


def plain(**changes: Any) -> dict[str, Any]:
    return {"type": "file", "path": "config.json", "size": 7, "oid": BLOB, **changes}


def large(**changes: Any) -> dict[str, Any]:
    return {**plain(path="sub/weights"), "lfs": {"oid": SHA256, "size": 2000, "pointerSize": 134, **changes}}


def test_files_of_all_pages() -> None:
    folder = {"type": "directory", "path": "sub", "oid": BLOB, "size": 0}
    assert READ.files([[folder, plain()], [large()]]) == {
        "config.json": Entry(size=7, digest=BLOB),
        "sub/weights": Entry(size=2000, digest=SHA256),
    }


def test_a_commit() -> None:
    assert READ.commit({"sha": BLOB, "id": "o/n"}) == BLOB


@pytest.mark.parametrize(
    "answer",
    [
        *({"sha": found} for found in ("../../../../home2", "main", BLOB.upper(), BLOB[1:], f"{BLOB}\n", "", None, 7)),
        {},
        [],
        "x",
        None,
    ],
)
def test_what_is_no_commit(answer: object) -> None:
    with pytest.raises(NetworkError, match=r"^https://hub\.example gives .* as a commit of o/n, which is not 40 hex"):
        READ.commit(answer)


@pytest.mark.parametrize(
    "digest", ["../../../../home/.ssh/authorized_keys", BLOB, "", f"{SHA256}\n", None, 5, [SHA256]]
)
def test_what_is_no_sha256(digest: object) -> None:
    with pytest.raises(NetworkError, match=r"^https://hub\.example gives .* as a checksum of o/n, which is not 64 hex"):
        READ.files([[large(oid=digest)]])


@pytest.mark.parametrize("digest", ["../../x", SHA256, "", BLOB.upper(), None])
def test_what_is_no_blob_id(digest: object) -> None:
    with pytest.raises(NetworkError, match=r"as a checksum of o/n, which is not 40 hex"):
        READ.files([[plain(oid=digest)]])


@pytest.mark.parametrize(
    "path",
    [
        *("../x", "a/../x", "..", "/etc/passwd", "a//b", "a/", "", ".", "./a", "a\nb", "a\0b", "\x1b[2J", "a\u2028b"),
        *("\ud800", "a\x85b", "a" * 250, "é" * 125, None, 7, ["a"]),
    ],
)
def test_what_is_no_path(path: object) -> None:
    with pytest.raises(NetworkError, match=r"^https://hub\.example gives .* as a file of o/n, which is not a relative"):
        READ.files([[plain(path=path)]])
    assert not isinstance(path, str) or not is_path(path)


@pytest.mark.parametrize("path", ["a", ".gitattributes", "..a/b..", "voix d'été/ö@240.wav", "a\\b", "~/x", "é" * 120])
def test_what_is_a_path(path: str) -> None:
    assert list(READ.files([[plain(path=path)]])) == [path]


@pytest.mark.parametrize("size", [-1, 1.5, "7", None, True])
def test_what_is_no_size(size: object) -> None:
    for item in (plain(size=size), large(size=size)):
        with pytest.raises(NetworkError, match="as a size of o/n, which is not a number of bytes"):
            READ.files([[item]])


@pytest.mark.parametrize("page", [{}, {"error": "x"}, None, "<html>", [7], [[]], [large() | {"lfs": "x"}]])
def test_what_is_no_list_of_files(page: object) -> None:
    with pytest.raises(NetworkError, match=r"^https://hub\.example gives "):
        READ.files([page])


def test_a_file_that_is_a_folder_too() -> None:
    with pytest.raises(NetworkError, match="gives 'a' as a file and a folder of o/n"):
        READ.files([[plain(path="a")], [plain(path="a/b")]])


def test_a_message_stays_one_short_line() -> None:
    with pytest.raises(NetworkError) as raised:
        READ.commit({"sha": "\x1b[31m\n" * 10_000})
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 250
