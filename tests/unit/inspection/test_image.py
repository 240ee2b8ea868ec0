"""What is shown of an image."""

from __future__ import annotations

import io
import shlex
from dataclasses import replace

import pytest
from rich.console import Console

from baker.build import receipt
from baker.build.receipt import Receipt
from baker.cli import report
from baker.config import project as projects
from baker.engine.interface import LocalImage
from baker.errors import EngineError
from baker.inspection import image
from tests.unit.fakes import FakeEngine

STT = LocalImage(
    id="sha256:1",
    tags=("baker/stt:latest",),
    size=6000,
    labels={
        "dev.baker.service": "stt",
        "dev.baker.accel": "cuda",
        "dev.baker.capabilities": "75 80",
        "dev.baker.driver-floor": "550.54.14",
        "dev.baker.crate": "moshi-server",
        "dev.baker.crate.version": "0.6.4",
    },
    layers=("a", "b", "c"),
    config={
        "Cmd": ["worker", "--config", "configs/stt.toml"],
        "Entrypoint": ["/usr/bin/tini"],
        "Env": ["HF_HOME=/root/.cache/huggingface"],
        "ExposedPorts": {"8080/tcp": {}},
        "User": "1000",
    },
)
OTHER = replace(STT, id="sha256:2", tags=("baker/tts:latest",), layers=("a", "x"))
RECEIPT = Receipt(
    service="stt",
    image="baker/stt:latest",
    digest="sha256:1",
    size=1,
    base="debian",
    accel="cuda",
    crate="moshi-server 0.6.4",
    own={},
    inputs="",
    foundation="",
    checks="",
    link=True,
    export="",
    platform="linux/amd64",
    built_on="linux/amd64",
    local="linux/amd64",
    stages=(),
    layers=("a", "b", "c"),
)


@pytest.fixture
def project(tmp_path):
    return replace(projects.find(tmp_path), state=tmp_path)


def engine():
    return FakeEngine(images={"baker/stt:latest": STT, "baker/tts:latest": OTHER})


def test_layers_largest_first_with_who_has_them_too(project):
    found = image.look(engine(), "baker/stt:latest", project)
    assert [(layer.digest, layer.size, layer.made_by) for layer in found.layers] == [
        ("c", 3000, "COPY c"),
        ("b", 2000, "COPY b"),
        ("a", 1000, "COPY a"),
    ]
    assert {layer.digest: layer.shared for layer in found.layers} == {"a": ("baker/tts:latest",), "b": (), "c": ()}


def changed(project):
    return {layer.digest: layer.changed for layer in image.look(engine(), "baker/stt:latest", project).layers}


def test_nobody_knows_what_has_changed_since_no_build(project):
    assert changed(project) == {"a": None, "b": None, "c": None}


def test_what_has_changed_since_the_build_before(project):
    folder = project.state / "receipts"
    receipt.write(replace(RECEIPT, digest="sha256:0", layers=("a", "old", "c")), folder)
    receipt.write(RECEIPT, folder)
    assert changed(project) == {"a": False, "b": True, "c": False}
    receipt.write(RECEIPT, folder)
    assert changed(project) == {"a": False, "b": True, "c": False}, "a build without a change leaves what was before"


def test_an_image_of_elsewhere_is_compared_with_the_last_build(project):
    receipt.write(replace(RECEIPT, digest="sha256:9", layers=("a",)), project.state / "receipts")
    assert changed(project) == {"a": False, "b": True, "c": True}


def test_receipts_of_releases_that_kept_no_layers(project):
    receipt.write(replace(RECEIPT, digest="sha256:9", layers=()), project.state / "receipts")
    assert changed(project) == {"a": None, "b": None, "c": None}


def test_how_to_run_it(project):
    found = image.look(engine(), "baker/stt:latest", project)
    words = shlex.split(found.run)
    assert words[:3] == ["docker", "run", "--rm"]
    assert words[-1] == "baker/stt:latest"
    volumes = [words[at + 1] for at, word in enumerate(words) if word == "--volume"]
    assert volumes == ["huggingface:/root/.cache/huggingface", "stt-unmute_logs:/tmp/unmute_logs"]
    assert "--gpus" in words
    on_cpu = shlex.split(found.run_on_cpu)
    assert "--gpus" not in on_cpu
    assert on_cpu[-5:] == ["baker/stt:latest", "worker", "--config", "configs/stt.toml", "--cpu"]
    assert (found.ports, found.user) == (("8080/tcp",), "1000")


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({}, ""),
        ({"dev.baker.accel": "cpu"}, "none: it runs on the CPU"),
        (
            {"dev.baker.accel": "cuda", "dev.baker.capabilities": "75 120"},
            "NVIDIA's of compute capability 7.5 and newer; binaries for 7.5, 12.0",
        ),
    ],
)
def test_cards(labels, said):
    assert image.cards(replace(STT, labels=labels)) == said


def test_an_image_that_is_not_here(project):
    with pytest.raises(EngineError, match="there is no image nobody/has:it here"):
        image.look(engine(), "nobody/has:it", project)


def test_what_is_printed(project):
    said = io.StringIO()
    report.image(image.look(engine(), "baker/stt:latest", project), Console(file=said, width=200))
    lines = [line.split() for line in said.getvalue().splitlines()]
    assert ["version", "0.6.4"] in lines
    assert ["driver", "550.54.14", "or", "newer"] in lines
    assert ["1.0", "kB", "COPY", "a", "baker/tts:latest"] in lines
