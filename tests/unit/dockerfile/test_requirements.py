"""What an image must be, by a plan and by the labels that the same plan gives it; and its last layers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from baker.build import prepare
from baker.build.request import Request
from baker.config import project
from baker.config.platforms import AMD64
from baker.dockerfile import labels, requirements
from baker.dockerfile.top_layers import TopLayer, top_layers

PROJECT = project.find(Path(__file__).parent)


def prepared(name, *, variant="slim", base="debian"):
    settings = replace(PROJECT.read_settings(), variant=variant)
    services, pins = PROJECT.read_services((name,)), PROJECT.read_pins()
    request = Request(project=PROJECT, settings=settings, services=services, pins=pins, host=AMD64)
    return prepare.make(request, prepare.choice(request, base, link=True, build_platform=AMD64))


def planned(name, **options):
    return prepared(name, **options).plan.services[0]


def by_labels(image, *env):
    """Return what the image of a plan must be by what it says of itself."""
    config = {"Env": env, "ExposedPorts": {f"{image.port}/tcp": {}}, "Healthcheck": {"Test": image.health}}
    return requirements.from_labels(dict(image.labels), config)


@pytest.mark.parametrize("base", ["debian", "nvidia"])
@pytest.mark.parametrize("name", ["stt", "tts"])
def test_labels_say_the_same_as_the_plan(name, base):
    image = planned(name, base=base)
    said = by_labels(image)
    assert said == replace(image.requirements, labels=said.labels, entrypoint=None)
    assert all(dict(image.labels).get(label) for label in labels.ALWAYS)


def test_the_builder_variant_says_so():
    image = planned("stt", variant="builder")
    assert image.requirements.builder
    assert by_labels(image, "BAKER_VARIANT=builder").builder
    assert not by_labels(image).builder


def test_a_budget_that_is_no_number_is_none():
    assert requirements.from_labels({labels.BUDGET: "much"}, {}).budget == 0


def test_the_last_layers_are_one_path_each():
    made = prepared("tts")
    last = made.top(made.plan.services[0])
    assert [layer.path for layer in last[:6]] == [
        "",
        "/app/configs",
        "/opt/baker/start",
        "/app/start_moshi_server.sh",
        "/app/static",
        "/opt/baker/image.env",
    ]
    assert last[6] == TopLayer(path="/opt/baker/bin/moshi-health", own=False)
    assert last[-1].path == "/opt/baker/stubs"
    assert [layer.own for layer in last] == [True] * 6 + [False] * (len(last) - 6)


def test_the_builder_variant_has_none():
    made = prepared("tts", variant="builder")
    assert made.top(made.plan.services[0]) == ()


@pytest.mark.parametrize("target", ["/app", "/app/configs", "/app/configs/more", "/"])
def test_a_shared_folder_ends_them(target):
    made = prepared("stt")
    (stage,) = (item for item in made.stages if item.name == "stt")
    at = next(at for at, text in enumerate(stage.instructions) if text.endswith(" /app/configs"))
    more = (*stage.instructions[:at], f"COPY --link x {target}", *stage.instructions[at:])
    assert [layer.path for layer in top_layers(replace(stage, instructions=more))] == ["", "/app/configs"]
