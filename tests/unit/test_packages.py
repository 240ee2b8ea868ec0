"""The wheel and the sdist have what they must have, and nothing else."""

from __future__ import annotations

import email
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

from baker import __version__
from baker.cli.reference import files

ROOT = Path(__file__).parents[2]
NAME = f"moshi_baker-{__version__}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The texts of the wheel's files, by name."""
    (path,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"])
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The names of the sdist's files, below its folder."""
    (path,) = SdistBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("sdist")), versions=["standard"])
    with tarfile.open(path) as archive:
        return {item.name.removeprefix(f"{NAME}/") for item in archive if not item.isdir()}


def below(folder):
    """Return the names of the files below a folder of the checkout, links followed, without what tools leave."""
    found = set()
    for place, folders, names in os.walk(ROOT / folder, followlinks=True):
        folders[:] = [name for name in folders if name not in ("__pycache__", "target")]
        found |= {(Path(place) / name).relative_to(ROOT).as_posix() for name in names}
    return found


def test_the_wheel_has_the_package_with_what_its_links_lead_to(wheel):
    package = {name for name in wheel if name.startswith("baker/")}
    # What only a checkout needs; the schemas are among what `init` lays out.
    left_out = ("baker/cli/reference/", "baker/config/schemas/")
    assert package == {name for name in below("baker") if not name.startswith(left_out)}
    assert {
        "baker/config/defaults.toml",
        "baker/config/builtin/schemas/service.json",
        "baker/config/builtin/baker.lock",
        "baker/config/builtin/services/stt/service.toml",
        "baker/dockerfile/templates/Dockerfile.j2",
        "baker/dockerfile/templates/scripts/fetch-crate",
    } <= package


def test_the_wheel_has_the_manual_page_and_the_completions(wheel):
    shared = f"{NAME}.data/data/"
    found = {name.removeprefix(shared): text.decode() for name, text in wheel.items() if name.startswith(shared)}
    assert found == {name: (ROOT / name).read_text() for name in files.FILES if name.startswith("share/")}


def test_the_wheel_has_nothing_else(wheel):
    rest = {name for name in wheel if not name.startswith(("baker/", f"{NAME}.data/data/share/"))}
    info = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
    assert rest == {f"{NAME}.dist-info/{name}" for name in info}


def test_the_wheel_says_what_it_is(wheel):
    told = email.message_from_bytes(wheel[f"{NAME}.dist-info/METADATA"])
    assert (told["Name"], told["License-Expression"]) == ("moshi-baker", "MIT")
    scripts = wheel[f"{NAME}.dist-info/entry_points.txt"].decode().splitlines()
    # uvx starts the program that is called like the distribution.
    assert {"baker = baker.cli:main", "moshi-baker = baker.cli:main"} <= set(scripts)


def test_the_sdist_builds_the_wheel_and_runs_the_tests(sdist):
    tops = {name.partition("/")[0] for name in sdist}
    assert {"baker", "docs", "dockerfiles", "services", "share", "tests", "scripts"} <= tops
    assert {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "requirements.lock", "Makefile"} <= sdist
    assert below("baker") <= sdist
    assert below("share") <= sdist


def test_the_sdist_has_nothing_of_one_machine(sdist):
    assert not {name for name in sdist if name.startswith((".baker", ".venv", ".git/", "dist/", "site/"))}
    assert not {name for name in sdist if "__pycache__" in name or name.endswith((".pyc", "/.env", ".key"))}
