"""What a cache in a folder has, and what is said where it cannot be written."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest

from baker.errors import BakerError, CommandError, EngineError, UsageError
from baker.models import environment, folder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), EngineError, "no space left in /c: make room"),
        (CommandError(("dd",), 1, "dd: error writing 'x': No space left on device"), EngineError, "no space left"),
        (PermissionError(errno.EACCES, "Permission denied", "/c/hub"), UsageError, "/c/hub: Permission denied"),
        (OSError(errno.EROFS, "Read-only file system", "/c/hub"), UsageError, "/c cannot be used: /c/hub: Read-only"),
        (CommandError(("mv",), 1, "mv: cannot move: Permission denied"), UsageError, "/c cannot be used: mv:"),
    ],
)
def test_a_cache_that_cannot_be_written(error: Exception, kind: type[BakerError], text: str) -> None:
    with pytest.raises(kind) as raised, folder.explained("/c"):
        raise error
    assert text in str(raised.value)
    assert "\n" not in str(raised.value)


def test_other_errors_stay_what_they_are() -> None:
    error: Any
    for error in (OSError(errno.EIO, "Input/output error"), CommandError(("mv",), 1, "mv: strange"), KeyError("x")):
        with pytest.raises(type(error)) as raised, folder.explained("/c"):
            raise error
        assert raised.value is error


@pytest.mark.parametrize("named", [b"../../../../etc", b"", b"main", b"\xff\xfe", b"A" * 40, b"1" * 41, None])
def test_a_reference_that_is_no_commit_leads_nowhere(tmp_path: Path, named: bytes | None) -> None:
    top = tmp_path / "hub" / "models--o--n"
    (top / "refs").mkdir(parents=True)
    (top / "snapshots" / ("1" * 40)).mkdir(parents=True)
    (top / "snapshots" / ("1" * 40) / "file").write_text("x")
    if named is not None:
        (top / "refs/main").write_bytes(named)
    with folder.open_folder(environment.home(tmp_path), writing=False) as store:
        assert (store.held("o/n").commit, dict(store.held("o/n").names)) == ("", {})
        (top / "refs/main").write_bytes(b"1" * 40 + b"\n")
        assert (store.held("o/n").commit, list(store.held("o/n").names)) == ("1" * 40, ["file"])
