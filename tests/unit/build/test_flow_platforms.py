"""Builds for several platforms, and on engines of others."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from baker.build import pipeline, planning
from baker.build.machine import probe
from baker.build.prepare import prepare
from baker.cli.options import BuildOptions
from baker.config import project as projects
from baker.config.platforms import ARM64
from baker.errors import EngineError, UsageError
from tests.unit.build.flow import COMMANDS, INSPECT, build
from tests.unit.fakes import FakeEngine

pytestmark = pytest.mark.usefixtures("alone")


EMULATES = {**COMMANDS, "buildx inspect": INSPECT + "Platforms: linux/amd64, linux/arm64\n"}


def on(platform, project, engine):
    request = BuildOptions(project=project, platform=(platform,)).request()
    return pipeline.build_images(request, engine, Console(file=io.StringIO(), width=200))


def test_a_platform_that_is_not_emulated_is_refused_before_anything_is_built(project, engine):
    with pytest.raises(EngineError, match="can run nothing of linux/arm64"):
        on("linux/arm64", project, engine)
    assert engine.images == {}
    assert not list(project.glob(".baker/context/*"))


def test_builds_of_two_platforms_remember_each_other(project, engine, counts):
    engine.commands = EMULATES
    (arm,) = on("linux/arm64", project, engine)
    (amd,) = on("linux/amd64", project, engine)
    assert (arm.platform, arm.built_on, amd.platform) == ("linux/arm64", "linux/amd64", "linux/amd64")
    assert arm.inputs != amd.inputs
    made = counts["render"]
    engine.counts.clear()
    assert on("linux/amd64", project, engine) == (amd,)
    assert counts["render"] == made + 1
    assert not engine.counts, "nothing is asked for what has not changed"


def test_several_platforms_are_built_in_turn(project, engine):
    engine.commands = EMULATES
    (project / "baker.toml").write_text('[build]\naccel = "cpu"\nplatforms = ["linux/amd64", "linux/arm64"]\n')
    done, _ = build(project, engine)
    assert [item.platform for item in done] == ["linux/amd64", "linux/arm64"]
    assert {name for name in engine.images if "latest" in name} == {"baker/hello:latest", "baker/hello:latest-arm64"}
    with pytest.raises(UsageError, match="name one platform, of linux/amd64, linux/arm64"):
        planning.plan_images(BuildOptions(project=project).request(), engine, print)


def test_an_arm64_engine_builds_for_itself_without_being_told(project, engine):
    engine.info = replace(engine.info, machine="aarch64")
    (done,), _ = build(project, engine)
    assert (done.platform, done.built_on) == ("linux/arm64", "linux/arm64")
    assert "--platform" not in (project / ".baker/context/debian-cpu-arm64/Dockerfile").read_text()


def test_builders_that_compile_on_different_platforms_share_no_build():
    fake = FakeEngine(commands=COMMANDS)
    asked = iter(["Driver: docker\nPlatforms: linux/amd64, linux/arm64\n", "Driver: remote\nPlatforms: linux/arm64\n"])
    fake.commands["buildx inspect"] = lambda _: next(asked)
    with pytest.raises(EngineError, match="on linux/amd64 and linux/arm64"):
        probe(fake, ("here", "there")).compiles_on(ARM64)


def prepared(engine, **options):
    """Prepare text-to-speech for arm64, as this project has it."""
    engine.commands = EMULATES
    request = BuildOptions(project=projects.BUILTIN, services=("tts",), platform=("linux/arm64",), **options).request()
    return prepare(request, probe(engine, ()), {"DOCKER_CONFIG": "/nowhere"}, print)


@pytest.mark.parametrize("options", [{}, {"cuda": "12.4", "base": "debian"}], ids=["auto", "named"])
def test_what_nothing_compiles_is_said_before_anything_is_built(engine, options):
    with pytest.raises(UsageError, match=r"no wheel for linux/arm64 of sphn .*, or with --cuda 13\.0$"):
        prepared(engine, **options)


def test_what_has_no_wheel_and_is_compiled_is_not_refused(engine):
    assert [each.name for each in prepared(engine, cuda="13.0").plan.extensions] == ["sphn"]


def test_a_machine_without_buildx():
    with pytest.raises(EngineError, match="docker has no buildx"):
        probe(FakeEngine(commands={}), ())
