"""What an image should be, by a plan and by the labels that the same plan gives it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from baker import expected, plan, planner, project
from baker.engine import LocalImage
from baker.plan import CopyPlan

PROJECT = project.find(Path(__file__).parent)


def planned(name: str, *, variant: str = "slim", base: str = "debian") -> plan.ImagePlan:
    choice = plan.Choice(
        base=base, accel="cuda", capabilities=(80,), root="baker-root:golden", link=True, variant=variant
    )
    mirrors = PROJECT.settings().mirrors
    made = planner.make(PROJECT.services((name,)), PROJECT.pins(), mirrors, choice, PROJECT.services_folder)
    return made.services[0]


def built(image: plan.ImagePlan, *env: str) -> LocalImage:
    """The image of a plan, as far as it says what it is."""
    config = {"Env": env, "ExposedPorts": {f"{image.port}/tcp": {}}, "Healthcheck": {"Test": image.health}}
    return LocalImage(id="", tags=(), size=0, labels=dict(image.labels), layers=(), config=config)


@pytest.mark.parametrize("base", ["debian", "nvidia"])
@pytest.mark.parametrize("name", ["stt", "tts"])
def test_labels_say_the_same_as_the_plan(name, base):
    image = planned(name, base=base)
    told, said = expected.by_plan(image), expected.by_labels(built(image))
    assert said == replace(told, labels=said.labels, entrypoint=None, last=())
    assert all(dict(told.labels).get(label) for label, _ in said.labels)


def test_a_builder_has_no_budget():
    image = planned("stt", variant="builder")
    told, said = expected.by_plan(image), expected.by_labels(built(image, "BAKER_VARIANT=builder"))
    assert (told.builder, told.budget, told.last) == (said.builder, said.budget, ()) == (True, 0, ())


def test_the_last_layers_are_one_path_each():
    last = expected.by_plan(planned("tts")).last
    assert last[:3] == ("/app/configs", "/app/start_moshi_server.sh", "/opt/baker/image.env")
    assert last[3] == "/opt/baker/bin/moshi-health"
    assert last[-1] == "/opt/baker/stubs"


@pytest.mark.parametrize("target", ["/app", "/app/configs", "/app/configs/more", "/"])
def test_a_shared_folder_ends_them(target):
    image = planned("stt")
    more = CopyPlan(stage="", source="x", target=target, mode="")
    assert expected.by_plan(replace(image, copies=(more, *image.copies[-1:]))).last == ("/app/configs",)
