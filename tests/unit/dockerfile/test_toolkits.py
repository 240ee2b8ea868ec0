"""CUDA from wheels: what a plan with it says, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from baker.config import cuda, project
from baker.dockerfile import bakefile, labels, planner
from baker.errors import LockError, UsageError
from tests.unit import choices

PROJECT = project.find(project.BUILTIN)
PINS = PROJECT.read_pins()


def planned(release="13.0", *, capabilities=(80,), base="debian", pins=PINS, change=lambda services: services):
    settings = replace(PROJECT.read_settings(), cuda=release)
    services, settings = cuda.settle(PROJECT.read_services(()), settings, pins)
    choice = choices.choice(capabilities=capabilities, base=base)
    return planner.make(change(services), pins, settings.mirrors, choice, PROJECT.services_folder)


def test_labels_and_tags_say_the_release():
    plan = planned(capabilities=(80, 120))
    for image in plan.services:
        said = dict(image.labels)
        assert (said[labels.CUDA], said[labels.DRIVER_FLOOR]) == ("13.0", "580.65.06")
        assert said[labels.PTX] == "9.0 sm_80, 9.0 sm_120"
        assert said[labels.CRATE_LOCK].startswith("services/moshi-server/cuda13/Cargo.lock sha256:")
        assert bakefile.flavour(plan, image.name) == "cuda13.0-sm80-sm120"


def test_no_version_tag_is_that_of_another_toolkit():
    settings = PROJECT.read_settings()
    tags = [bakefile.tags(planned(release), settings, "stt")[1] for release in ("13.0", "auto")]
    assert tags[1] == "0.6.4-cuda12.4-sm80"
    assert tags[0].endswith("-cuda13.0-sm80")
    assert tags[0].startswith("0.6.4-l"), "another lock is another crate than the release"


def test_compiled_units_of_another_toolkit_are_not_taken():
    caches = {release: planned(release).binaries[0].cache for release in ("13.0", "auto")}
    assert len(set(caches.values())) == 2


@pytest.mark.parametrize("number", [80, 86, 87, 88, 89, 90, 100, 103, 110, 120, 121])
def test_what_it_compiles_for(number):
    assert planned(capabilities=(number,)).binaries[0].capability == number


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (70, "for 8.0 and newer only; for such cards leave out --cuda 13.0, or name --compute-cap 8.0 or newer"),
        (75, "compute capability 7.5: with CUDA 13.0 the crate compiles for 8.0 and newer only"),
        (101, "the nvcc of CUDA 13.0 does not know it; a binary for 10.0 runs on such a card too"),
    ],
)
def test_what_it_does_not_compile_for(number, message):
    with pytest.raises(UsageError, match=message) as error:
        planned(capabilities=(80, number))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("number", [110, 121])
def test_without_it_a_capability_that_it_knows_leads_there(number):
    with pytest.raises(UsageError, match=f"compute capability {number / 10}.*--cuda 13.0 does; a binary for"):
        planned("auto", capabilities=(number,))


def test_the_nvidia_base_takes_no_wheels():
    with pytest.raises(UsageError, match=r"CUDA 13\.0 comes from wheels, which the base nvidia does not take"):
        planned(base="nvidia")


def test_the_published_lock_does_not_build_with_it():
    def published(services):
        return tuple(replace(service, crate=structs.replace(service.crate, lock=None)) for service in services)

    with pytest.raises(
        UsageError, match=r"CUDA 13\.0: cudarc 0\.16\.2, which moshi-server's lock holds, builds with 12"
    ):
        planned(change=published)


def test_two_toolkits_of_one_release_are_refused():
    def other(services):
        first, second = services
        toolkit = structs.replace(first.toolkits["13.0"], home="nvidia/cu14")
        return replace(first, toolkits={"13.0": toolkit}), second

    with pytest.raises(UsageError, match="stt and tts have different toolkits"):
        planned(change=other)


@pytest.mark.parametrize(
    ("usual", "newer", "toolchain"),
    [
        ("1.85", "1.96", "toolchain-cuda-backports"),
        ("1.87.0", "1.96", "toolchain-cuda"),
        ("1.96.1", "", "toolchain-cuda"),
    ],
)
def test_the_newer_rust_is_taken_where_the_usual_one_is_too_old(usual, newer, toolchain):
    plan = planned(pins=rusts(usual, newer))
    assert {binary.toolchain for binary in plan.binaries} == {toolchain}
    stubs = {copy.stage for image in plan.services for copy in image.copies if copy.source == "/stubs"}
    assert stubs == {toolchain}, "a second toolchain would be made for these alone"


@pytest.mark.parametrize(("newer", "most"), [("", "none"), ("1.86", "1.86")])
def test_a_base_without_such_a_rust(newer, most):
    with pytest.raises(LockError, match=rf"wants Rust 1\.87, .* trixie has 1\.85 and its backports {most}: run"):
        planned(pins=rusts("1.85", newer))


def test_two_rusts_share_no_units():
    assert planned(pins=rusts("1.85", "1.99")).binaries[0].cache != planned().binaries[0].cache


def rusts(usual, newer):
    return structs.replace(PINS, debian=structs.replace(PINS.debian, rust=usual, rust_backports=newer))


def test_the_start_script_is_told_the_toolkits_that_an_older_driver_takes():
    assert dict(planned().drivers)["12.8"] == "570.26"
    assert list(dict(planned().drivers)) == ["12.4", "12.5", "12.6", "12.8", "13.0"]
    assert list(dict(planned("auto").drivers)) == ["12.4", "12.5", "12.6", "12.8"]
