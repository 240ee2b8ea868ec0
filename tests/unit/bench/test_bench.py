"""What is made of measurements: medians, ratios, a table, a picture, a page. The numbers here are made up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from baker.bench import page, plot, table
from baker.bench.startup import devel, result
from baker.bench.startup.result import (
    BAKED,
    CONFIG,
    FIRST,
    OFFLINE,
    RESTART,
    SCENARIOS,
    UPGRADE,
    UPSTREAM,
    VOLUMES,
    WAYS,
)
from baker.bench.suite import wish
from baker.build import prepare
from baker.build.request import Request
from baker.config import project
from baker.config.platforms import AMD64
from baker.errors import LockError, UsageError
from baker.lock.sources import latest
from tests.unit.benchmarks import EMPTY

X = "\N{MULTIPLICATION SIGN}"
SVG = "{http://www.w3.org/2000/svg}"


def measurement(way, scenario, run, seconds, **more):
    return result.Measurement(way=way, scenario=scenario, run=run, seconds=seconds, **more)


@pytest.fixture
def found() -> result.Result:
    return EMPTY.plus(
        *(measurement(BAKED, RESTART, run, seconds) for run, seconds in ((1, 1.0), (2, 2.0), (3, 4.0))),
        *(measurement(UPSTREAM, RESTART, run, seconds, compiled=28) for run, seconds in ((1, 100.0), (2, 400.0))),
        measurement(BAKED, CONFIG, 1, 1.0, build=2.0),
        measurement(VOLUMES, CONFIG, 1, 6.0),
        measurement(UPSTREAM, CONFIG, 1, 100.0, same_as=RESTART),
        measurement(BAKED, OFFLINE, 1, 1.0),
        measurement(UPSTREAM, OFFLINE, 1, None, said="error: no network"),
        measurement(BAKED, UPGRADE, 1, 1.0, build=50.0, fresh=True),
    )


def test_medians_and_ratios_go_by_run(found):
    assert result.median(found.of(BAKED, RESTART)) == 2.0
    assert result.ratios(found, UPSTREAM, RESTART) == (100.0, 200.0)


def test_a_build_counts_after_a_change_of_the_config_alone(found):
    assert result.ratios(found, VOLUMES, CONFIG) == (2.0,)
    assert result.median(found.of(BAKED, CONFIG)) == 3.0
    assert result.median(found.of(BAKED, UPGRADE)) == 1.0


def test_never_is_no_number(found):
    assert result.median(found.of(UPSTREAM, OFFLINE)) is None
    assert result.ratios(found, UPSTREAM, OFFLINE) == ()
    mixed = found.plus(measurement(UPSTREAM, OFFLINE, 2, 3.0))
    assert result.median(mixed.of(UPSTREAM, OFFLINE)) is None
    assert table.cell(mixed, UPSTREAM, OFFLINE) == "never, in some runs"


def test_a_measurement_replaces_the_one_of_the_same_start(found):
    again = found.plus(measurement(BAKED, RESTART, 2, 9.0))
    assert [item.seconds for item in again.of(BAKED, RESTART)] == [1.0, 9.0, 4.0]
    assert again.has(BAKED, RESTART, 3)
    assert not again.has(BAKED, RESTART, 4)


def test_a_result_outlives_the_call(found, tmp_path):
    weighed = found.weighed(result.Weight(way=BAKED, image=2, packed=1, volumes=0))
    result.write(weighed, tmp_path / "some" / "result.json")
    assert result.read(tmp_path / "some" / "result.json") == weighed
    assert result.read(tmp_path / "none.json") is None
    (tmp_path / "old.json").write_text('{"form": "quick"}')
    with pytest.raises(UsageError, match="leave --resume out"):
        result.read(tmp_path / "old.json")


def test_the_table(found):
    text = table.ways(found)
    assert f"| restart | 4 min 10 s (1 min 40 s to 6 min 40 s), **150{X}** |  | 2.00 s (1.00 s to 4.00 s) |" in text
    assert "| restart without network | never |  | 1.00 s |" in text
    assert f"| 1 min 40 s, **33{X}**, the same as the first start | 6.00 s, **2{X}** | 3.00 s |" in text
    assert "ended with `` error: no network ``" in text
    assert "took 50.0 s before it, and compiled, in 1 of 1 runs. It is not counted" in text
    cached = table.ways(found.plus(measurement(BAKED, UPGRADE, 2, 1.0, build=4.0)))
    assert "took 50.0 s before it, and compiled, in 1 of 2 runs; the others took it from" in cached
    assert "upstream: restart 28." in text
    assert "first start, empty" not in table.times(found)


def test_the_picture(found):
    picture = ET.fromstring(plot.draw(found))  # noqa: S314 - our own
    dots = {(item.get("class"), item.get("cx")) for item in picture.iter(f"{SVG}circle")}
    text = [item.text for item in picture.iter(f"{SVG}text")]
    # Of the medians 1, 2, 3, 6, 100, 250 the axis goes from 1 to 1000.
    assert [word for word in text if word in ("1 s", "10 s", "100 s", "1000 s")] == ["1 s", "10 s", "100 s", "1000 s"]
    assert {name for name, _ in dots} == set(WAYS)
    assert "never" in text
    assert "1 min 40 s *" in text
    width = float(picture.get("width", 0))
    assert all(0 < float(x or 0) < width for _, x in dots)


def test_the_axis_is_logarithmic():
    axis = plot.Axis(low=0, high=2)
    assert axis.x(10) - axis.x(1) == pytest.approx(axis.x(100) - axis.x(10), abs=0.2)


def test_the_page_keeps_what_is_not_between_the_marks(tmp_path):
    written = page.insert("some", "one", tmp_path)
    written.write_text(f"before\n\n{written.read_text()}\nafter\n")
    page.insert("other", "three", tmp_path)
    page.insert("some", "two \\1", tmp_path)
    text = written.read_text()
    assert text.startswith("before\n\n# Benchmarks\n")
    assert "one" not in text
    assert text.index("two \\1") < text.index("after") < text.index("three")


@pytest.mark.parametrize(("accel", "toolchain"), [("cuda", "toolchain-cuda"), ("cpu", "toolchain")])
@pytest.mark.parametrize("base", ["debian", "nvidia"])
def test_what_compiles_at_start_has_the_toolchain_that_baker_compiles_with(base, accel, toolchain):
    here = project.find(Path(__file__).parent)
    settings = replace(here.read_settings(), accel=accel)
    services = here.read_services(("stt",))
    request = Request(project=here, settings=settings, services=services, pins=here.read_pins(), host=AMD64)
    found = {
        file.path: file
        for file in devel.files(prepare.make(request, prepare.choice(request, base, link=True, build_platform=AMD64)))
    }
    stages = found["Dockerfile"].content.decode().split("\nFROM ")
    assert stages[-1].startswith(f"{toolchain} AS devel\n")
    assert any(f"{toolchain} AS binary-moshi-server" in stage for stage in stages)
    assert ("CUDA_COMPUTE_CAP=80" in stages[-1]) == (accel == "cuda")
    copied = [word for word in stages[-1].split() if word.startswith(("scripts/", "services/"))]
    assert len(copied) == len([word for word in copied if word in found]) == 3
    assert {f"bench/start_{name}.sh" for name in ("binary", *WAYS[:2])} < set(found)


def test_a_misspelt_name_gets_the_closest_one():
    with pytest.raises(UsageError, match="upstream"):
        wish(1, ["upsteram"], [], shared=False, resume=False)
    with pytest.raises(UsageError, match="restart"):
        wish(1, [], ["restrat"], shared=False, resume=False)
    everything = wish(1, [], [], shared=False, resume=False)
    assert (everything.ways, everything.scenarios) == (WAYS, SCENARIOS)
    assert wish(1, [], [RESTART, FIRST], shared=False, resume=False).scenarios == (FIRST, RESTART)


def test_the_release_before_one():
    entries = "\n".join(
        f'{{"vers": "{version}", "cksum": "{version}", "yanked": {yanked}}}'
        for version, yanked in (
            ("0.9.0", "false"),
            ("0.10.0", "false"),
            ("0.10.1", "true"),
            ("0.10.2", "false"),
            ("0.11.0-a", "false"),
        )
    )
    assert latest(entries, "some", below="0.10.2").version == "0.10.0"
    assert latest(entries, "some").version == "0.10.2"
    with pytest.raises(LockError, match=r"before 0\.9\.0"):
        latest(entries, "some", below="0.9.0")
