"""Which engine the tests with an engine take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from baker.engine.interface import EngineInfo
from tests.engines import __main__ as on
from tests.engines import needs, network, session
from tests.unit.fakes import HERE

TOP = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("said", "lacks"),
    [
        ({}, ""),
        ({"version": "28.5.2+dfsg3"}, ""),
        ({"version": "26.1.5+dfsg1", "containerd_store": False}, "containerd's store"),
        ({"version": "25.0.0"}, "Docker 25.0.0, older than 26"),
        ({"version": "20.10.24+dfsg1", "containerd_store": False}, "Docker 20.10.24+dfsg1, older than 26"),
        ({"version": "5.4.2", "podman": True}, "podman"),
    ],
)
def test_what_an_engine_lacks(said: dict[str, Any], lacks: str) -> None:
    found = needs.lacking(EngineInfo(**{**HERE, **said}))
    assert lacks in found
    assert bool(found) == bool(lacks)


@pytest.mark.parametrize(
    ("arguments", "folder", "small", "images"),
    [
        (["tests"], ".", True, True),
        (["tests/docker", "tests/e2e"], ".", True, True),
        (["tests/docker/test_build.py::test_x[a::b]"], ".", True, False),
        (["e2e", "unit"], "tests", False, True),
        (["tests/unit"], ".", False, False),
        (["test_build.py"], "tests/docker", True, False),
    ],
)
def test_which_suites_arguments_name(arguments: list[str], folder: str, *, small: bool, images: bool) -> None:
    assert session.touched(arguments, TOP / folder, session.SMALL) is small
    assert session.touched(arguments, TOP / folder, session.IMAGES) is images


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n", True),
        ("# dnsmasq\nnameserver ::1\nnameserver 127.0.0.1\n", True),
        ("nameserver 127.0.0.1\nnameserver 192.0.2.1\n", False),
        ("nameserver 2001:db8::1\n", False),
        ("search example\n", False),
    ],
)
def test_a_server_for_names_that_another_network_does_not_have(text: str, tmp_path: Path, *, local: bool) -> None:
    (tmp_path / "resolv.conf").write_text(text)
    assert network.local(tmp_path / "resolv.conf") is local


def test_what_is_left_out_is_there() -> None:
    """A module that is moved would be run, and fail, where its engine is too old."""
    modules = [module for modules in needs.NEWER.values() for module in modules]
    assert modules
    assert [module for module in modules if not (TOP / module.partition("::")[0]).is_file()] == []


@pytest.mark.parametrize("argv", [[], ["sid"], ["no-such-suite", "true"]])
def test_a_command_on_the_engine_of_a_suite_wants_both(argv: list[str]) -> None:
    with pytest.raises(SystemExit, match=r"usage: .*sid.* COMMAND"):
        on.main(argv)
