"""The table of cards, and what is made from it."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from baker.config import cardpage, measured, project
from baker.config.cardtable import table, version
from baker.dockerfile import planner, render
from baker.errors import UsageError
from tests.unit import choices

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("NVIDIA GeForce RTX 3090", "8.6"),
        ("rtx3090", "8.6"),
        ("NVIDIA GeForce RTX 4070 Ti SUPER", "8.9"),
        ("NVIDIA A100-SXM4-40GB", "8.0"),
        ("NVIDIA A40", "8.6"),
        ("Tesla T4", "7.5"),
        ("Quadro RTX 6000", "7.5"),
        ("NVIDIA RTX 6000 Ada Generation", "8.9"),
        ("NVIDIA RTX A6000", "8.6"),
        ("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", "12.0"),
        ("NVIDIA H100 80GB HBM3", "9.0"),
        ("NVIDIA GH200 480GB", "9.0"),
        ("NVIDIA GB10", "12.1"),
        ("Orin (nvgpu)", "8.7"),
        ("NVIDIA Thor", "11.0"),
        ("8.6", "8.6"),
    ],
)
def test_a_card_by_its_name(name, capability):
    assert table().find(name).capability == capability


def test_a_card_that_nobody_knows():
    with pytest.raises(UsageError, match="no card is called 'RTX 3091'; did you mean 'RTX 309"):
        table().find("RTX 3091")


def test_no_name_is_in_two_rows():
    names = [name for row in table().rows for name in row.names]
    assert len(names) == len(set(names))
    assert all(table().find(name).names and name in table().find(name).names for name in names)


def test_a_newer_toolkit_needs_a_newer_driver_and_the_order_says_so():
    found = table()
    assert list(found.toolkits) == sorted(found.toolkits, key=version)
    drivers = [version(each.driver) for each in found.toolkits.values()]
    assert drivers == sorted(drivers)


def test_a_driver_has_to_know_the_card_too():
    assert table().driver(86, "12.4") == "550.54.14"
    assert table().driver(120, "12.4") == "570.26"
    assert table().driver(110, "12.8") == "580.65.06"


def test_the_rows_are_those_of_capabilities_that_some_toolkit_compiles_for():
    assert {row.number for row in table().rows} == set(table().capabilities)
    assert {table().default, table().bf16_from, *table().published} <= set(table().capabilities)


def rendered_env(accel: str) -> dict[str, str]:
    found = project.find(ROOT)
    choice = choices.choice(accel=accel, capabilities=(75, 80))
    made = planner.make(
        found.read_services(["stt"]), found.read_pins(), found.read_settings().mirrors, choice, found.services_folder
    )
    text = next(file.content.decode() for file in render.render(made) if file.path == "services/stt/image.env")
    return dict(re.findall(r'^(BAKER_\w+)="?([^"\n]*)"?$', text, re.MULTILINE))


def test_the_start_script_gets_what_the_table_says():
    env, found = rendered_env("cuda"), table()
    assert env["BAKER_BF16_FROM"] == str(found.bf16_from)
    assert dict(pair.split("=") for pair in env["BAKER_DRIVERS"].split()) == {
        release: each.driver
        for release, each in found.toolkits.items()
        if found.builds(release, found.published_cudarc)
    }
    assert env["BAKER_DRIVER_FLOOR"] == found.toolkits[env["BAKER_CUDA"]].driver
    assert rendered_env("cpu")["BAKER_DRIVERS"] == ""
    refused = [row.partition("=") for row in env["BAKER_REFUSED"].split(";")]
    rows = [(row.names, row.refused) for row in found.rows if row.refused]
    assert [(tuple(names.split("|")), why) for names, _, why in refused] == rows != []


def test_the_stand_in_of_the_start_scripts_tests_says_the_same():
    text = (ROOT / "tests/docker/fallback/standins/image.env").read_text()
    standin = dict(re.findall(r'^(BAKER_\w+)="?([^"\n]*)"?$', text, re.MULTILINE))
    env = rendered_env("cuda")
    assert set(standin) == set(env)
    same = ("BAKER_DRIVERS", "BAKER_BF16_FROM", "BAKER_REFUSED")
    assert {key: standin[key] for key in same} == {key: env[key] for key in same}


def test_the_start_script_lists_no_card_itself():
    script = ROOT / "services/moshi-server"
    text = "".join(path.read_text() for path in (script / "start_moshi_server.sh", *script.glob("start/*.sh")))
    drivers = [each.driver for each in table().toolkits.values()]
    assert not [driver for driver in drivers if driver in text]
    assert "before 8.0" not in text


def test_the_workflow_publishes_what_the_table_says():
    text = "        capability: []\n RELEASE: ${{ matrix.capability == '1.0' && 'x' }}\n"
    assert cardpage.workflow(text) == (
        "        capability: [\"7.5\", \"8.0\"]\n RELEASE: ${{ matrix.capability == '8.0' && 'x' }}\n"
    )
    assert cardpage.MATRIX.search((ROOT / ".github/workflows/publish.yml").read_text())


RESULT = {
    "format": 1,
    "service": "stt",
    "crate": "moshi-server 0.6.4",
    "capability": "8.0",
    "cuda": "12.8",
    "device": "cuda",
    "card": "NVIDIA L4",
    "card_capability": "8.9",
    "driver": "570.86.15",
    "memory": 612,
    "ptx": "8.7 sm_80",
    "words": ["hello"],
    "ready": {"empty": 31.25, "kept": 4.5},
    "day": "2026-11-26",
}


def test_the_page_has_what_was_measured_on_a_card_and_nothing_else(tmp_path):
    (tmp_path / "l4.json").write_bytes(msgspec.json.encode(RESULT))
    (tmp_path / "cpu.json").write_bytes(msgspec.json.encode({**RESULT, "device": "cpu", "card": "none"}))
    (result,) = measured.all_of(tmp_path)
    text = cardpage.page([result])
    assert "| NVIDIA L4 | 8.9 | 570.86.15 | stt | moshi-server 0.6.4, 8.0, CUDA 12.8 | 31.2 | 4.5 | 612 |" in text
    assert cardpage.NONE not in text
    assert cardpage.NONE in cardpage.page([])


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"{}", "is no measurement"), (b'{"format": 1}', "is no measurement"), (b"x", "is no measurement")],
)
def test_what_is_no_measurement(content, message):
    with pytest.raises(UsageError, match=message):
        measured.read(content, "x.json")


def test_a_measurement_of_another_format():
    with pytest.raises(UsageError, match="has format 2"):
        measured.read(msgspec.json.encode({**RESULT, "format": 2}), "x.json")
