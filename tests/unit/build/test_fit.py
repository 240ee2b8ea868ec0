"""What cards run: images by their labels, and what to build."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pytest

from baker.build import fit, hostcards
from baker.config import project
from baker.dockerfile import labels
from baker.errors import UsageError
from tests.unit.registry.standin import IMAGE, INDEX, descriptor, digest, manifest, registries

PINS = project.find(Path(__file__)).read_pins()
L4 = "NVIDIA L4, 8.9, 570.86.15, 23034"


def cards(*lines: str, machine: str = "linux/amd64") -> tuple[hostcards.Card, ...]:
    return hostcards.read("\n".join(lines) + "\n", machine)


def said(capabilities: str = "80", cuda: str = "12.8", floor: str = "570.26", version: str = "0.6.4") -> dict[str, str]:
    return {
        labels.SERVICE: "stt",
        labels.CAPABILITIES: capabilities,
        labels.CUDA: cuda,
        labels.DRIVER_FLOOR: floor,
        labels.CRATE_VERSION: version,
    }


@pytest.mark.parametrize(
    ("line", "card"),
    [
        (L4, ("NVIDIA L4", 89, "570.86.15", 23034)),
        ("NVIDIA GB10, 12.1, 580.95.05, [N/A]", ("NVIDIA GB10", 121, "580.95.05", 0)),
        ("NVIDIA GH200 480GB, 9.0, 575.57.08, 97871", ("NVIDIA GH200 480GB", 90, "575.57.08", 97871)),
        ("NVIDIA Thor, [N/A], 580.00, [N/A]", ("NVIDIA Thor", 110, "580.00", 0)),
        ("Some Card, [N/A], [N/A], [N/A]", ("Some Card", 0, "", 0)),
    ],
)
def test_what_nvidia_smi_prints(line, card):
    (found,) = cards(line)
    assert (found.name, found.capability, found.driver, found.memory) == card


@pytest.mark.parametrize(
    ("lines", "options"),
    [
        ([L4], "--compute-cap 8.0 --base nvidia"),
        (["Tesla T4, 7.5, 570.86.15, 15360"], "--compute-cap 7.5 --base nvidia"),
        (["NVIDIA A100, 8.0, 550.54.14, 1"], "--compute-cap 8.0 --base debian"),
        (["NVIDIA A100, 8.0, 550.54.13, 1"], ""),
        (["NVIDIA GeForce RTX 5090, 12.0, 570.86.16, 1"], "--compute-cap 8.0 --base nvidia"),
        ([L4, "Tesla T4, 7.5, 570.86.15, 15360"], "--compute-cap 7.5 --base nvidia"),
    ],
)
def test_what_to_build(lines, options):
    assert fit.fit(cards(*lines), (), PINS).build == options


def test_a_card_that_is_not_supported():
    (orin,) = cards("Orin (nvgpu), [N/A], 540.3.0, [N/A]", machine="linux/arm64")
    found = fit.fit([orin], (), PINS)
    assert (found.build, found.toolkits) == ("", ())
    assert any("not supported: Orin's driver is part of L4T" in note for note in found.notes)


@pytest.mark.parametrize("name", ["NVIDIA H200", "H200"])
def test_what_was_measured_on_such_a_card_is_said(name):
    notes = fit.fit(cards(f"{name}, 9.0, 580.159.04, 143771"), (), PINS).notes
    ready = [note for note in notes if note.startswith("measured on NVIDIA H200: tts with CUDA 13.0 is Ready after ")]
    assert len(ready) == 1
    assert "measured on NVIDIA H200: stt with 400 slots holds 46790 MiB; 400 of 400 streams were in real time" in notes


def test_notes():
    notes = fit.fit(cards("Tesla T4, 7.5, 535.54.03, 15360"), (), PINS).notes
    assert any("no bf16" in note for note in notes)
    assert any("too old for every toolkit: update it to 550.54.14" in note for note in notes)
    assert all(note.startswith("not measured: ") for note in notes if "GB" in note or "streams" in note)


@pytest.mark.parametrize(
    ("lines", "labels_", "runs", "why"),
    [
        ([L4], said("75 80"), True, "with its binary for 8.0; CUDA 12.8, driver 570.26"),
        ([L4], said("90"), False, "its binaries are for 9.0 and newer"),
        (["NVIDIA L4, 8.9, 560.35.03, 1"], said(), False, "needs driver 570.26, and 560.35.03 is here"),
        (["NVIDIA GeForce RTX 5090, 12.0, 560.35.03, 1"], said(cuda="12.4", floor="550.54.14"), False, "570.26"),
        ([L4, "Tesla T4, 7.5, 570.86.15, 1"], said("80"), False, "8.0 and newer"),
        ([L4], said("") | {labels.CUDA: ""}, False, "no GPU code"),
        ([L4], {}, False, "no labels of baker's"),
    ],
)
def test_an_image_by_its_labels(lines, labels_, runs, why):
    found = fit.judge(cards(*lines), "r/stt:1", labels_, "amd64")
    assert found.runs == runs
    assert why in found.why


def test_an_image_of_another_architecture():
    found = fit.judge(cards(L4), "r/stt:1", said(), "arm64")
    assert (found.runs, found.why) == (False, "it is for linux/arm64, and the machine is linux/amd64")


def test_the_best_published_tag_is_found_without_a_pull():
    images = {
        "0.6.3-cuda12.8-sm80": said(version="0.6.3"),
        "0.6.4-cuda12.8-sm75": said("75"),
        "0.6.4-cuda12.8-sm80": said("80"),
        "0.6.4-cuda12.8-sm120": said("120"),
        "0.6.10-cuda13.0-sm80": said("80", "13.0", "580.65.06", "0.6.10"),
    }
    configs = {
        tag: json.dumps({"architecture": "amd64", "config": {"Labels": found}}).encode()
        for tag, found in images.items()
    }
    asked = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        path = request.url.path.removeprefix("/v2/speech/stt/")
        asked.append(path)
        if path == "tags/list":
            return httpx2.Response(200, json={"tags": [*configs, f"sha256-{'0' * 64}.sig"]})
        kind, _, pointer = path.partition("/")
        if kind == "manifests":
            return manifest(configs[pointer], b"layer") if pointer in configs else httpx2.Response(404)
        return httpx2.Response(200, content=next(item for item in configs.values() if digest(item) == pointer))

    verdicts = fit.published(cards(L4), "r.example.com/speech/stt", registries(answer))
    found = fit.fit(cards(L4), verdicts, PINS)
    assert found.take == "r.example.com/speech/stt:0.6.4-cuda12.8-sm80"
    assert {item.reference.rpartition(":")[2] for item in verdicts if item.runs} == {
        "0.6.3-cuda12.8-sm80",
        "0.6.4-cuda12.8-sm75",
        "0.6.4-cuda12.8-sm80",
    }
    assert not [path for path in asked if digest(b"layer") in path]
    gone = fit.image(cards(L4), "r.example.com/speech/stt:gone", registries(answer))
    assert (gone.runs, gone.why) == (False, "the registry has no such image")


def test_an_index_is_judged_by_the_image_for_the_machine():
    kinds = {"amd64": said("90"), "arm64": said("80")}
    configs = {
        kind: json.dumps({"architecture": kind, "config": {"Labels": found}}).encode() for kind, found in kinds.items()
    }
    images = {kind: manifest(content, b"layer").content for kind, content in configs.items()}
    index = json.dumps(
        {
            "schemaVersion": 2,
            "manifests": [
                descriptor(content, platform={"os": "linux", "architecture": kind}) for kind, content in images.items()
            ],
        }
    )
    by_digest = {digest(content): content for content in (*images.values(), *configs.values())}

    def answer(request: httpx2.Request) -> httpx2.Response:
        pointer = request.url.path.rpartition("/")[2]
        if pointer == "1":
            return httpx2.Response(200, headers={"Content-Type": INDEX}, content=index)
        return httpx2.Response(200, headers={"Content-Type": IMAGE}, content=by_digest[pointer])

    gb10 = cards("NVIDIA GB10, 12.1, 580.95.05, [N/A]", machine="linux/arm64")
    assert fit.image(gb10, "r.example.com/stt:1", registries(answer)).runs
    assert not fit.image(cards(L4), "r.example.com/stt:1", registries(answer)).runs


def test_a_card_that_is_named():
    card = hostcards.named("RTX 3090", "570.86")
    assert (card.capability, card.driver, card.platform) == (86, "570.86", "linux/amd64")
    with pytest.raises(UsageError, match="--driver new: write its version"):
        hostcards.named("RTX 3090", "new")
