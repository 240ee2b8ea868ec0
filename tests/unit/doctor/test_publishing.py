"""What the doctor says of the programs that publishing takes."""

from __future__ import annotations

import shutil

import pytest

from baker.doctor import programs


@pytest.fixture
def look(monkeypatch):
    """Return the findings about the programs, by name, where only some are on PATH."""

    def examine(*there):
        monkeypatch.setattr(shutil, "which", lambda name, **_: f"/usr/bin/{name}" if name in there else None)
        return {found.name: found for found in programs.publishing({})}

    return examine


def test_where_they_are(look):
    found = look("skopeo", "cosign")
    assert {name: (item.state, item.detail) for name, item in found.items()} == {
        "skopeo": ("ok", "/usr/bin/skopeo"),
        "cosign": ("ok", "/usr/bin/cosign"),
    }


def test_one_that_is_missing_stops_no_build_and_is_named_with_where_it_is_to_be_had(look):
    found = look("cosign")
    assert found["skopeo"].state == "note"
    assert "`make setup` installs it" in found["skopeo"].detail
    assert found["cosign"].state == "ok"
