"""Writing a file in one step, and copying folders without leftovers."""

from __future__ import annotations

import shutil
import stat
from typing import TYPE_CHECKING

import pytest

from baker.system import files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("content", ["grün\n", "grün\n".encode()])
def test_a_file_is_written_over_the_old_one(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "ledger.json"
    path.write_text("old")
    files.write_atomically(path, content)
    assert path.read_bytes() == "grün\n".encode()
    assert [child.name for child in tmp_path.iterdir()] == ["ledger.json"]


def test_the_mode_goes_through_the_umask(tmp_path: Path) -> None:
    plain, asked, private = tmp_path / "plain", tmp_path / "asked", tmp_path / "private"
    plain.write_text("as open() does it")
    files.write_atomically(asked, "x")
    files.write_atomically(private, "x", mode=0o600)
    assert asked.stat().st_mode == plain.stat().st_mode
    assert stat.S_IMODE(private.stat().st_mode) == 0o600


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "baker.lock"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [child.name for child in tmp_path.iterdir()] == ["baker.lock"]


def test_a_link_is_replaced_and_its_target_stays(tmp_path: Path) -> None:
    victim, link = tmp_path / "victim", tmp_path / "state" / "receipt.json"
    link.parent.mkdir()
    victim.write_text("mine")
    link.symlink_to(victim)
    files.write_atomically(link, "new")
    assert (link.is_symlink(), link.read_text(), victim.read_text()) == (False, "new", "mine")


def test_a_folder_that_is_missing_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files.write_atomically(tmp_path / "typo" / "file", "x")


def test_leftovers_are_not_copied(tmp_path: Path) -> None:
    kept = {"src/main.rs", "targets/list", ".gitignore"}
    for name in (*kept, "target/debug/main", "src/__pycache__/a.pyc", ".venv/bin/python", ".git/HEAD"):
        path = tmp_path / "from" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    shutil.copytree(tmp_path / "from", tmp_path / "to", ignore=files.ignore_leftovers)
    assert {str(path.relative_to(tmp_path / "to")) for path in (tmp_path / "to").rglob("*") if path.is_file()} == kept
