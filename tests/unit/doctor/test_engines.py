"""What the doctor says of engines that are set up otherwise than most."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from baker.build import base, planning
from baker.build.machine import probe
from baker.config import project
from baker.doctor import cards, examine, machine, start
from tests.unit.fakes import HERE, FakeEngine

if TYPE_CHECKING:
    from baker.doctor.finding import Finding

NOW = datetime(2026, 11, 26, tzinfo=UTC)
BUILDX = "github.com/docker/buildx v0.13.1 x"
SMALL = "Name: default\nDriver: docker\nGC Policy rule#0:\n All: true\n Keep Bytes: 2GiB\n"


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """No registry answers, and no program runs."""
    monkeypatch.setattr(base, "missing", lambda _: lambda _: "no registry answers")
    monkeypatch.setattr(cards, "look", lambda *_: ())
    monkeypatch.setattr(start, "look", lambda *_: ())
    monkeypatch.setattr(machine, "network_time", lambda _: None)


def engine(told: str = "Name: default\nDriver: docker\n", buildx: str = BUILDX, **info) -> FakeEngine:
    return FakeEngine(info=HERE | info, commands={"buildx version": buildx, "buildx inspect": told})


def found(fake: FakeEngine, name: str) -> list[Finding]:
    here = project.find(Path(__file__).parent)
    return [finding for finding in examine.examine(here, fake, NOW) if finding.name == name]


@pytest.mark.parametrize(
    ("security", "says"),
    [
        (("seccomp", "rootless"), "--user 0 --entrypoint chown"),
        (("seccomp", "userns"), "/etc/subuid"),
        (("seccomp", "selinux"), ":z"),
    ],
)
def test_owners_of_folders(security, says):
    (finding,) = found(engine(security=security), "owners")
    assert finding.state == "note"
    assert says in finding.detail


def test_owners_need_no_word_on_most_engines():
    assert found(engine(security=("seccomp", "apparmor")), "owners") == []


def test_a_builder_that_keeps_little():
    (finding,) = found(engine(SMALL), "cache")
    assert finding.state == "note"
    assert "defaultKeepStorage" in finding.detail


def test_a_builder_that_keeps_all():
    (finding,) = found(engine(), "cache")
    assert (finding.state, finding.detail) == ("ok", "the builder keeps what the disk takes")


def test_a_build_says_it_before_it_compiles():
    said: list[str] = []
    planning.warn_of_small_cache(probe(engine(SMALL), ()), "cuda", said.append)
    assert said[0].startswith("note: this builder keeps 2.1 GB of build cache")


def test_without_compose_there_is_one_line():
    (finding,) = found(engine(), "compose")
    assert (finding.state, "\n" in finding.detail) == ("missing", False)
    assert "make setup" in finding.detail


def test_podmans_docker_command():
    (finding,) = found(engine(buildx="buildah 1.43.0"), "buildx")
    assert finding.state == "missing"
    assert "podman" in finding.detail


def test_podmans_service_below_dockers_command():
    (finding,) = found(engine(podman=True), "cache")
    assert "this is podman" in finding.detail
    # A builder of its own has BuildKit, whatever runs it.
    (finding,) = found(engine("Name: b\nDriver: docker-container\nBuildKit version: v0.13.1\n", podman=True), "cache")
    assert finding.state == "ok"
