"""How much room a disk has."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from baker.system import disk


@pytest.mark.parametrize("name", ["", "not/made/yet"])
def test_the_nearest_folder_that_exists_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    asked: list[Path] = []

    def usage(path: Path) -> SimpleNamespace:
        asked.append(path)
        return SimpleNamespace(total=10, used=3, free=7)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    assert disk.free(tmp_path / name) == 7
    assert asked == [tmp_path]


def test_a_real_disk() -> None:
    assert 0 <= disk.free(Path("/")) <= shutil.disk_usage("/").total
