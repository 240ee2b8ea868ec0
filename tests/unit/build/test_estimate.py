"""What a build is expected to take: shipped figures, this project's own numbers, an interrupted build."""

from __future__ import annotations

from dataclasses import replace

import pytest

from baker.build import estimate, figures, planning, prepare, record
from baker.build.estimate import Machine
from baker.build.figures import Figure, Shipped, scaled
from baker.build.forecast import BUILD, CACHED, FOLLOWS, NEW, SETTINGS, Outlook
from baker.build.request import Request
from baker.config import cuda as releases
from baker.config import project
from baker.config.platforms import AMD64
from baker.dockerfile.stages import Stage
from baker.engine.interface import EngineInfo
from baker.errors import EngineError

SHIPPED = Shipped(
    cores=2,
    measured="in a test",
    stages={
        "debian-cuda": {
            "toolchain": Figure(seconds=40, download=200, disk=1000),
            "binary-moshi-server-cuda-*": Figure(seconds=600, parallel=0.9, disk=3000),
            "tool": Figure(seconds=1),
            "venv-moshi-server": Figure(seconds=300, download=4000, disk=13000),
            "tts": Figure(seconds=20, disk=6000, finish=100, store=8000),
        },
        "debian-cpu": {"toolchain": Figure(seconds=41)},
    },
)
BINARY = "binary-moshi-server-cuda-80"
HERE = Machine(base="debian", accel="cuda", cores=2)


def stage(name, *sources, parent="", runs=""):
    return Stage(
        name=name,
        layers=name,
        own=name,
        whole=name,
        parent=parent,
        image="",
        sources=sources,
        instructions=(runs,),
        inputs=(),
    )


STAGES = (
    stage("toolchain", runs="RUN apt"),
    stage(BINARY, parent="toolchain", runs="RUN --mount=type=cache,id=baker-target-x,target=/target cargo"),
    stage("tool", parent="toolchain", runs="RUN cargo"),
    stage("venv-moshi-server", runs="RUN uv sync"),
    stage("tts", BINARY, "venv-moshi-server", "tool", runs="COPY a b"),
)


def outlook(name, state=BUILD, seconds=0.0, why=(NEW,)):
    return Outlook(stage=name, state=state, why=why, seconds=seconds)


def estimated(*outlooks, machine=HERE, builds=(), there=()):
    named = {item.stage: item for item in outlooks}
    whole = [named.get(one.name, outlook(one.name)) for one in STAGES]
    return estimate.estimate(whole, STAGES, ("tts",), machine, there=there, builds=builds, shipped=SHIPPED)


def build(state=record.FINISHED, stages=(), activities=()):
    return record.Build(
        started=0.0,
        seconds=252.0,
        state=state,
        error="",
        base="debian",
        accel="cuda",
        services=("tts",),
        platform="linux/amd64",
        engine="",
        cores=2,
        stages=stages,
        activities=activities,
        images=(),
        warnings=(),
    )


def ran(name, *, complete=True, crates=None):
    return record.Stage(
        name=name, after=(), cached=False, complete=complete, seconds=1.0, downloaded=0, steps=(), crates=crates
    )


def test_a_first_build_takes_the_shipped_figures():
    found = estimated()
    assert found.first
    # The venv is made beside the compile.
    assert found.schedule.total == 40 + 600 + 20 + 100
    assert found.download == 4200
    assert found.disk == 1000 + 3000 + 13000 + 6000 + 8000
    assert list(planning.told(found, 50_000)) == [
        "a first build: about 13 min on 2 cores, 4.2 kB to download, 31.0 kB of disk at its peak (50.0 kB are free)"
    ]


@pytest.mark.parametrize(("cores", "seconds"), [(0, 600), (1, 1140), (2, 600), (4, 330), (16, 127.5)])
def test_more_cores_make_only_a_share_of_it_shorter(cores, seconds):
    figure = SHIPPED.stages["debian-cuda"]["binary-moshi-server-cuda-*"]
    assert scaled(figure, 2, cores) == pytest.approx(seconds)


def test_the_projects_own_numbers_go_before():
    found = estimated(outlook(BINARY, seconds=900.0, why=("RUN: + vim",)))
    assert found.schedule.seconds[BINARY] == 900.0
    assert not next(item for item in found.outlooks if item.stage == BINARY).shipped
    # What was fetched before lies in the cache mounts.
    known = estimated(outlook("venv-moshi-server", seconds=300.0, why=("pins: torch 2.9.1 → 2.9.2",)))
    assert known.download == 200


def test_what_is_cached_takes_nothing_and_is_not_built_again():
    found = estimated(outlook("toolchain", CACHED, 40.0, ()), outlook(BINARY, CACHED, 600.0, ()))
    assert not found.first
    assert found.schedule.total == 300 + 20 + 100
    assert list(planning.told(found)) == [
        "3 of 5 stages to build: about 7 min on 2 cores, 4.0 kB to download, 27.0 kB of disk at its peak",
        f"not built again: toolchain, {BINARY}, which took 10 min 40 s",
    ]


def test_a_change_of_settings_is_exported_and_no_work():
    found = estimated(
        *(outlook(one.name, CACHED, 1.0, ()) for one in STAGES[:-1]), outlook("tts", SETTINGS, 20.0, ("CMD",))
    )
    assert found.schedule.total == 100
    assert list(planning.told(found)) == []


def test_what_nobody_measured_is_named():
    machine = Machine(base="debian", accel="cpu", cores=2)
    found = estimated(machine=machine)
    # The CPU's toolchain has figures of its own; the compile for a card says nothing of its images.
    assert found.schedule.seconds["toolchain"] == 41
    assert found.schedule.unknown == {"tts"}
    assert "at least" in next(planning.told(found))
    assert list(planning.told(found))[1] == "not measured yet: tts"


def test_what_another_project_made_with_this_builder_is_probably_there():
    """A second clone has no ledger: it must not be refused for a disk that it does not need."""
    found = estimated(there=("toolchain", BINARY, "venv-moshi-server", "tool", "tts"))
    assert found.work == ()
    assert found.disk == found.download == found.schedule.total == 0
    assert list(planning.told(found)) == [
        f"probably in the builder's cache, from another project: toolchain, {BINARY}, tool, venv-moshi-server, tts"
    ]
    # Above a stage that has to be made, nothing is there.
    assert {item.stage for item in estimated(there=(BINARY,)).work} == {one.name for one in STAGES}
    # What this project has made from other files is new, whatever the builder has.
    changed = estimated(outlook(BINARY, seconds=9.0, why=("RUN: + vim",)), there=("toolchain", BINARY))
    assert BINARY in {item.stage for item in changed.work}


def test_follows_counts_as_work():
    assert estimated(outlook("tts", FOLLOWS, 20.0, ("if",))).first


def test_an_interrupted_build_goes_on():
    last = build(
        record.INTERRUPTED,
        (ran("toolchain"), ran("tool", complete=False, crates=(1, 2)), ran(BINARY, complete=False, crates=(100, 400))),
    )
    found = estimated(outlook("toolchain", CACHED, 40.0, ()), builds=(last, build()))
    assert found.schedule.seconds[BINARY] == 450.0
    # A tool is compiled in a layer, of which nothing is kept.
    assert found.schedule.seconds["tool"] == 1
    assert list(planning.told(found))[1:] == [
        "the last build was interrupted after 4 min 12 s; this one goes on from there",
        "not built again: toolchain, which took 40.0 s",
        f"not compiled again: 100 of 400 crates of {BINARY}",
    ]


def test_a_finished_build_leaves_nothing_to_go_on_from():
    last = build(record.FINISHED, (ran(BINARY, complete=False, crates=(100, 400)),))
    found = estimated(builds=(last,))
    assert found.interrupted is None
    assert found.schedule.seconds[BINARY] == 600.0


def test_export_and_verification_are_those_of_the_last_time():
    def took(name, seconds):
        return record.Activity(name=name, target="tts", started=10.0, ended=10.0 + seconds)

    first = build(stages=(ran("tts"),), activities=(took("export", 50.0), took("verify", 30.0)))
    assert estimated(builds=(first,)).schedule.finish == 80.0
    # One whose stage was cached says nothing of one that is new.
    again = build(stages=(), activities=(took("export", 1.0),))
    assert estimated(builds=(again, first)).schedule.finish == 80.0


def engine(tmp_path, *, local=True):
    return EngineInfo(
        id="x", version="26.1.5", machine="x86_64", containerd_store=True, root=str(tmp_path), local=local
    )


def test_a_build_that_does_not_fit_is_refused_before_it_starts(tmp_path):
    here = engine(tmp_path)
    planning.require_room(30 * 10**9, here, 31 * 10**9)
    planning.require_room(30 * 10**9, here, None)
    with pytest.raises(EngineError, match=r"about 30.0 GB at its peak, and 20.0 GB are free under .*docker system df"):
        planning.require_room(30 * 10**9, here, 20 * 10**9)
    planning.require_room(30 * 10**9, here, 20 * 10**9, anyway=True)
    with pytest.raises(EngineError, match=r"only 2\.0 GB are free"):
        planning.require_room(0, here, 2 * 10**9, anyway=True)


def test_the_disk_of_another_machine_is_not_looked_at(tmp_path):
    assert planning.free(engine(tmp_path, local=False)) is None
    assert (planning.free(engine(tmp_path)) or 0) > 0


def test_the_doctor_knows_how_much_a_first_build_takes():
    assert SHIPPED.room == 1000 + 3000 + 13000 + 6000 + 8000
    assert 20e9 < figures.shipped().room < 60e9


def test_what_a_builder_has_to_keep_comes_from_the_same_figures():
    """A build without CUDA takes the stages that were measured with it, but for those that only CUDA has."""
    table = {"venv-x": Figure(disk=100), "libraries-x": Figure(disk=20), "binary-x-cuda-*": Figure(disk=5)}
    stages = {"debian-cuda": {**table, "toolchain": Figure(disk=7)}, "debian-cpu": {"toolchain": Figure(disk=3)}}
    stages["debian-cuda13.0"] = {"venv-y": Figure(disk=40), "toolchain": Figure(disk=2)}
    shipped = Shipped(cores=2, measured="", stages=stages)
    assert [shipped.cache(accel) for accel in ("cuda", "cpu", "cuda13.0")] == [132, 103, 42]
    assert shipped.stages["debian-cpu"] == {"toolchain": Figure(disk=3)}
    assert 25e9 < figures.shipped().cache("cuda") < 35e9
    assert 12e9 < figures.shipped().cache("cpu") < 20e9
    assert 15e9 < figures.shipped().cache("cuda13.0") < 25e9


@pytest.mark.parametrize(("cuda", "table"), [("auto", "cuda"), ("13.0", "cuda13.0")])
@pytest.mark.parametrize("name", ["stt", "tts"])
def test_the_release_has_figures_for_every_stage_of_its_own_images(name, cuda, table, stages_of):
    """Else a first build of what is shipped could say nothing: renamed stages belong into figures.toml."""
    shipped = figures.shipped()
    missing = [one.name for one in stages_of(name, cuda) if shipped.of(one.name, "debian", table) is None]
    assert missing == []


@pytest.fixture
def stages_of():
    def read(name, cuda):
        here = project.find(project.BUILTIN)
        pins, settings = here.read_pins(), replace(here.read_settings(), cuda=cuda)
        services, settings = releases.settle(here.read_services((name,)), settings, pins)
        request = Request(project=here, settings=settings, pins=pins, services=services, host=AMD64)
        return prepare.make(request, prepare.choice(request, "debian", link=True, build_platform=AMD64)).needed()

    return read
