"""Where what belongs to a user is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from baker.system import userfolder

HOME = {"HOME": "/home/me"}


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        (HOME, "/home/me/.cache/baker"),
        (HOME | {"XDG_CACHE_HOME": "/var/caches"}, "/var/caches/baker"),
        (HOME | {"XDG_CACHE_HOME": "caches"}, "/home/me/.cache/baker"),
        (HOME | {"XDG_CACHE_HOME": "/var/caches", "BAKER_CACHE": "/srv/own"}, "/srv/own"),
    ],
)
def test_the_folder_of_a_user(environment, folder):
    assert userfolder.cache(environment) == Path(folder)


def test_without_a_home_there_is_none():
    assert userfolder.cache({}) is None
