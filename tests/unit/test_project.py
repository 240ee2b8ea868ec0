"""Reading services, settings and pins: what is wrong is said with file, table and key."""

from __future__ import annotations

import textwrap

import pytest

from baker import pins, planner, project, settings, spec
from baker.errors import LockError, UsageError

HELLO = """
[crate]
name = "hello"
"""


@pytest.fixture
def service(tmp_path):
    """Write services/hello/service.toml and read it."""

    def read(text: str) -> spec.Service:
        folder = tmp_path / "services" / "hello"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "service.toml").write_text(textwrap.dedent(text))
        return spec.load(folder)

    return read


def test_a_crate_is_enough(service):
    found = service(HELLO)
    assert (found.name, found.crate.binary, found.python) == ("hello", "hello", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[crate\nname = 1", "not valid TOML.*line 1"),
        ("[crate]\nname = 1", r"service.toml \[crate\]: 'name' is 1, where a string belongs"),
        ("[crate]\nnane = 'x'", "'name' is missing"),
        ("[crate]\nname = 'x'\nbinnary = 'y'", "unknown key 'binnary'; did you mean 'binary'"),
        ("[crate]\nname = 'x'\n[imgae]\nport = 1", "unknown key 'imgae'; did you mean 'image'"),
        ("[crate]\nname = 'x'\n[image]\nport = true", "'port' is True, where a whole number belongs"),
        ("[crate]\nname = 'x'\n[image]\nbudget = '1 XB'", "is no size"),
        ("[crate]\nname = 'x'\n[[image.files]]\nfrom = 'no'\nto = '/a'", "there is no 'no' beside the file"),
        ("[crate]\nname = 'x'\n[[image.files]]\nto = '/a'", "'from' is missing"),
        ("[crate]\nname = 'x'\nembeds-python = true", r"needs a \[python\] table"),
        ("inherits = 'service.toml'", "inherits itself"),
        ("inherits = 'nothing.toml'", "nothing.toml: No such file"),
    ],
)
def test_a_wrong_service(service, text, message):
    with pytest.raises(UsageError, match=message):
        service(text)


def test_inherited_tables_are_merged_and_files_joined(service, tmp_path):
    folder = tmp_path / "services" / "common"
    folder.mkdir(parents=True)
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "base.toml").write_text(
        '[crate]\nname = "x"\n[image]\nport = 1\n[image.env]\nA = "1"\n'
        '[[image.files]]\nfrom = "run.sh"\nto = "/run.sh"\n'
    )
    (tmp_path / "services" / "hello").mkdir()
    (tmp_path / "services" / "hello" / "own").write_text("x")
    found = service("""
        inherits = "../common/base.toml"
        [image]
        port = 2
        [image.env]
        B = "2"
        [[image.files]]
        from = "own"
        to = "/own"
    """)
    assert (found.image.port, found.image.env) == (2, (("A", "1"), ("B", "2")))
    assert [file.target for file in found.image.files] == ["/run.sh", "/own"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[buidl]\nbase = 'auto'", r"unknown table \[buidl\]; did you mean 'build'"),
        ("[build]\nbasse = 'auto'", r"\[build\]: unknown key 'basse'; did you mean 'base'"),
        ("[build]\nbase = 'debain'", "did you mean 'debian'"),
        ("[build]\ncapabilities = ['8.0', 'ampere']", "'ampere' is no compute capability"),
        ("build = 1", r"\[build\] is a table"),
    ],
)
def test_wrong_settings(tmp_path, text, message):
    (tmp_path / "baker.toml").write_text(text)
    with pytest.raises(UsageError, match=message):
        settings.load(tmp_path / "baker.toml")


def test_settings_over_defaults(tmp_path):
    (tmp_path / "baker.toml").write_text("[build]\naccel = 'cpu'")
    found = settings.load(tmp_path / "baker.toml")
    assert (found.accel, found.base, found.capabilities) == ("cpu", "auto", (80,))


@pytest.mark.parametrize(
    ("words", "numbers"),
    [(["8.0"], (80,)), (["90,7.5"], (75, 90)), (["12.0", "80"], (80, 120)), (["8.0", "80"], (80,))],
)
def test_capabilities(words, numbers):
    assert settings.parse_capabilities(words, "here") == numbers


@pytest.mark.parametrize("word", ["", "8", "6.1", "8.0.1", "sm_80", "-80", "1000"])
def test_junk_for_capabilities(word):
    with pytest.raises(UsageError, match="no compute capability"):
        settings.parse_capabilities([word], "here")


def test_no_lock(tmp_path):
    with pytest.raises(LockError, match="run `baker lock`"):
        pins.load(tmp_path / "baker.lock")


@pytest.mark.parametrize("version", ["12.7", "12.9.1", "13.0", "11.8"])
def test_a_toolkit_that_cudarc_refuses(version):
    with pytest.raises(UsageError, match=f"CUDA {version}.*12.4, 12.5, 12.6, 12.8 only"):
        planner.toolkit(version)


@pytest.mark.parametrize(
    ("registry", "reference"),
    [("", "nvidia/cuda:1"), ("mirror:5000", "mirror:5000/nvidia/cuda:1"), ("m.x/hub/", "m.x/hub/nvidia/cuda:1")],
)
def test_a_registry_before_every_reference(registry, reference):
    assert planner.mirrored("nvidia/cuda:1", registry) == reference


def test_outside_of_a_project_the_package_serves(tmp_path):
    found = project.find(tmp_path)
    assert (found.builtin, found.names(), found.state) == (True, ("stt", "tts"), tmp_path / ".baker")


def test_a_wrong_name_gets_a_suggestion(tmp_path):
    with pytest.raises(UsageError, match=r"there is no service 'sst'.*did you mean 'stt'"):
        project.find(tmp_path).services(["sst"])
