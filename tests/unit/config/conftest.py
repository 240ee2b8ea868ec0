"""A project in a temporary folder, whose files a test writes."""

from __future__ import annotations

import textwrap

import pytest

from baker.config import service


@pytest.fixture
def found(tmp_path):
    """Write services/hello/service.toml and read it."""

    def read(text: str, name: str = "hello") -> service.Service:
        folder = tmp_path / "services" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "service.toml").write_text(textwrap.dedent(text))
        return service.load(folder)

    return read
