"""The benchmark measures and prints; how long anything took is nobody's promise.

The quick form's crate takes a minute to compile, and is compiled four times: a stand-in of the same name, which comes
from an index of our own and has the same command line, takes a second.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from baker.bench.startup import result, ways
from tests.docker.crates import Crate, index
from tests.docker.project import tags

QUICK = ("--quick", "--base=debian", "--accel=cpu", "--runs=1")
PATIENCE = 1800
# What downloads and caches are measured by.
NOISE = "".join(f"// {random.Random(number).randbytes(500).hex()}\n" for number in range(12_000))  # noqa: S311
MAIN = """
fn main() {
    let told: Vec<String> = std::env::args().collect();
    match told.iter().position(|word| word == "-i") {
        Some(at) => println!("{}", words::first(&std::fs::read_to_string(&told[at + 1]).unwrap())),
        None => println!("choose {}", env!("CARGO_PKG_VERSION")),
    }
}
"""
WORDS = "pub fn first(text: &str) -> &str { text.split_whitespace().next().unwrap() }\n"
# The command line, with other pins for the quick form's crate.
BAKER = """
import json, sys
from baker.bench.startup import quick, size
from baker.bench.startup.subject import Versions
from baker.cli import main
from baker.config.pins import CratePin
previous, pinned = (CratePin(**pin) for pin in json.loads(sys.argv.pop(1)))
size.LEVEL = 1  # two gigabytes are packed, only to be measured
quick.VERSIONS = Versions(crate="choose", previous=previous, pinned=pinned)
sys.exit(main())
"""


@cache
def crates() -> tuple[Crate, ...]:
    """Return the stand-in's two versions, the older one first, and what they need."""
    words = Crate(name="words", files={"src/lib.rs": WORDS})
    files = {"src/main.rs": MAIN, "src/noise.rs": NOISE}
    return *(Crate(name="choose", version=one, files=files, needs=(words,)) for one in ("1.3.6", "1.3.7")), words


def command(*options: str) -> list[str]:
    pins = [{"version": one.version, "sha256": one.sha256} for one in crates()[:2]]
    return [sys.executable, "-c", BAKER, json.dumps(pins), "bench", *options]


def bench(folder: Path, *options: str) -> str:
    with subprocess.Popen(
        command(*options), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            printed, said = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            # Not killed: it removes what it has started.
            process.send_signal(signal.SIGINT)
            printed, said = process.communicate()
    assert process.returncode == 0, said
    return printed


def left(engine, folder: Path) -> list[str]:
    """Whatever the benchmark of a project has left in the engine."""
    ours = ways.called(folder / ".baker/bench/quick-cpu/result.json")
    found = engine.containers.list(all=True, ignore_removed=True), engine.volumes.list(), engine.networks.list()
    names = [item.name for items in found for item in items]
    return [*(name for name in names if name.startswith(ours)), *tags(engine, f"{ours}/")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, debian_root, engine):
    """A project of one service, of which the quick form takes nothing but pins and settings."""
    assert debian_root
    root = tmp_path_factory.mktemp("bench")
    (root / "services/other").mkdir(parents=True)
    (root / "services/other/service.toml").write_text('[crate]\nname = "other"\n')
    (root / "baker.lock").write_text((Path(__file__).parents[2] / "baker.lock").read_text())
    with index(engine, tmp_path_factory.mktemp("www"), *crates()) as url:
        # A start without network gives up soon.
        (root / "baker.toml").write_text(f'[mirrors]\ncrates = "{url}"\n[downloads]\nretries = 1\n')
        yield root


@pytest.fixture(scope="module")
def measured(folder):
    """Two calls: few compiles, and the second goes on where the first one stopped."""
    bench(folder, *QUICK, "--only=restart", "--only=offline")
    return bench(folder, *QUICK, "--resume", "--way=baked", "--write=docs", "--json")


@pytest.fixture(scope="module")
def found(measured) -> result.Result:
    return result.parse(json.loads(measured)["ways"])


def log(folder: Path, item: result.Measurement) -> str:
    return (folder / ".baker/bench/quick-cpu/logs" / item.log).read_text()


def one(found: result.Result, way: str, scenario: str) -> result.Measurement:
    (item,) = found.of(way, scenario)
    return item


def test_upstream_compiles_at_a_restart(folder, found):
    item = one(found, result.UPSTREAM, result.RESTART)
    assert item.compiled == log(folder, item).count("   Compiling ") > 1
    assert "Compiling choose v1.3.6" in log(folder, item)
    assert item.seconds is not None
    assert item.downloaded is None or item.downloaded > 1_000_000


def test_volumes_compile_at_their_first_start(folder, found):
    first = one(found, result.VOLUMES, result.FIRST)
    assert first.compiled == log(folder, first).count("   Compiling ") > 1
    for scenario in (result.RESTART, result.OFFLINE):
        item = one(found, result.VOLUMES, scenario)
        assert item.compiled == 0
        assert "Compiling" not in log(folder, item)
        assert item.seconds is not None


def test_baked_never_compiles_after_up(folder, found):
    for scenario in result.SCENARIOS:
        item = one(found, result.BAKED, scenario)
        assert item.compiled == 0
        assert "Compiling" not in log(folder, item)
        assert item.seconds is not None
        assert bool(item.build) == (scenario in (result.CONFIG, result.UPGRADE))


def test_another_config_is_in_force(folder, found):
    """Each config has a word of its own, which the container has to say."""
    marks = {name: log(folder, one(found, result.BAKED, name)).split()[-1] for name in result.SCENARIOS}
    assert marks[result.RESTART] == marks[result.OFFLINE]
    assert marks[result.FIRST] != marks[result.CONFIG] == marks[result.UPGRADE]


def test_without_network_upstream_never_starts(folder, found):
    item = one(found, result.UPSTREAM, result.OFFLINE)
    assert item.seconds is None
    assert item.said.startswith("error")
    assert item.said in log(folder, item)
    assert item.compiled == 0


def test_bytes_are_counted(found):
    upstream, volumes, baked = (found.weight(way) for way in result.WAYS)
    assert upstream
    assert volumes
    assert baked
    assert 0 < baked.packed < baked.image < upstream.image == volumes.image
    assert upstream.packed == volumes.packed > baked.packed
    assert volumes.volumes > 10_000_000 > baked.volumes


def test_the_page_and_the_picture(folder, measured, found):
    page = (folder / "docs/benchmarks.md").read_text()
    assert "baker bench --quick" in page
    assert "| restart without network | never |" in page
    picture = ET.parse(folder / "docs/benchmarks-quick.svg")  # noqa: S314 - our own
    text = [item.text for item in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert text.count("never") == 1
    assert "restart" in text
    assert found.measurements
    assert measured


def test_nothing_is_left(engine, folder, measured):
    assert measured
    assert left(engine, folder) == []


def test_ctrl_c_removes_everything(engine, folder):
    argv = command(*QUICK, "--way=volumes", "--only=first")
    with subprocess.Popen(argv, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        give_up = time.monotonic() + PATIENCE
        while not any(name.endswith("-volumes-server-1") for name in left(engine, folder)):
            assert process.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "error: interrupted" in said
    assert left(engine, folder) == []


def test_the_help_page_is_compared(folder):
    (row,) = json.loads(bench(folder, "help", "--runs=2", "--json"))["rows"]
    assert "baker --help" in row["what"]
    assert row["unit"] == "s"
    assert min(row["found"], row["beside"], row["ratio"]) > 0
    least, greatest = row["range"]
    assert least <= row["ratio"] <= greatest


def test_the_table_is_markdown(folder):
    head, rule, line = bench(folder, "help", "--runs=1").splitlines()
    assert head.count("|") == rule.count("|") == line.count("|")
    assert line.startswith("| `baker --help`")
