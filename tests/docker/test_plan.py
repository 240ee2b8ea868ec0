"""`baker plan` against what BuildKit then does, each kind of input changed once; builds that have nothing to do."""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING

import pytest

from tests.docker.project import CRATE, OLDER, OLDER_SHA256, PYPROJECT, SERVICE, SHA256, VERSION, failure, furnish

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.docker.project import Project

CRATE_STAGE, BINARY, TOOL = f"crate-{CRATE}", f"binary-{CRATE}-cpu", "tool-greeter"
VENV, ENVIRONMENT = "venv-environment", "environment-hello"
# BuildKit's cache outlives a test: what is made from this name has never been made before.
ONCE = uuid.uuid4().hex
# The crate's stages have nothing of the project in them: an earlier run, on the same engine, may have left them, and
# an image whose label says so.
LEFT_BEHIND = {CRATE_STAGE, BINARY}
# The new package has nothing of it either: where its files are only copied, their content says whether that was done.
COPIED = {"a lock": {ENVIRONMENT}}


@pytest.fixture(scope="module")
def rich(make_project) -> Project:
    """A project whose image has one of everything: a crate, a tool, a venv, a package, a file, a command."""
    project = make_project()
    furnish(project, ONCE)
    done = project.build()
    assert done.returncode == 0, done.stdout + done.stderr
    return project


def edit(path: str, old: str, new: str) -> Callable[[Project], None]:
    def change(project: Project) -> None:
        text = (project.root / path).read_text()
        assert old in text
        project.write(path, text.replace(old, new))

    return change


older_crate = edit(
    "baker.lock",
    f'version = "{VERSION}"\nsha256 = "{SHA256}"',
    f'version = "{OLDER}"\nsha256 = "{OLDER_SHA256}"',
)


def newer_package(project: Project) -> None:
    project.write("services/hello/environment/pyproject.toml", PYPROJECT.format(ONCE, "iniconfig==2.1.0"))
    assert project.baker("lock").returncode == 0


# What is changed; what the plan says of the stages that are not cached; the reason given; what BuildKit then runs.
KINDS = {
    "nothing": (lambda _: None, {}, "", set()),
    "a file": (edit("services/hello/motd", "hello", ONCE), {"hello": "build"}, "services/hello/motd", {"hello"}),
    "a command": (
        edit("services/hello/service.toml", '["--version"]', '["--help"]'),
        {"hello": "settings"},
        'CMD: ["--version"] → ["--help"]',
        set(),
    ),
    "a package": (
        edit("services/hello/service.toml", "debian = []", 'debian = ["netbase"]'),
        {ENVIRONMENT: "build", "hello": "build"},
        "RUN: + netbase",
        {ENVIRONMENT, "hello"},
    ),
    "a crate": (
        older_crate,
        {CRATE_STAGE: "build", BINARY: "build", "hello": "build"},
        f"crate {CRATE} {VERSION} → {OLDER}",
        {CRATE_STAGE, BINARY, "hello"},
    ),
    "a lock": (
        newer_package,
        {VENV: "build", ENVIRONMENT: "follows", "hello": "follows"},
        "pins: iniconfig 2.0.0 → 2.1.0",
        {VENV, ENVIRONMENT, "hello"},
    ),
    "a tool's source": (
        edit("services/hello/greeter/src/main.rs", "{}", f'{{ println!("{ONCE}") }}'),
        {TOOL: "build", "hello": "follows"},
        "services/hello/greeter/src/main.rs",
        {TOOL, "hello"},
    ),
    # The compiler gives the same bytes for another comment: what copies them stays.
    "a tool's comment": (
        edit("services/hello/greeter/src/main.rs", "fn main", "// a comment\nfn main"),
        {TOOL: "build", "hello": "follows"},
        "services/hello/greeter/src/main.rs",
        {TOOL},
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_plan_is_what_buildkit_does(rich, kind):
    change, planned, why, ran = KINDS[kind]
    before = {path: path.read_bytes() for path in rich.root.rglob("*") if path.is_file() and ".baker" not in path.parts}
    try:
        change(rich)
        told = json.loads(rich.baker("plan", "--json").stdout)
        states = {item["stage"]: item["state"] for item in told if item["state"] != "cached"}
        assert states.items() <= planned.items()
        assert planned.keys() - states.keys() <= LEFT_BEHIND
        if why:
            assert why in {reason for item in told for reason in item["why"]}
        done = rich.build("--json", "--force")
        assert done.returncode == 0, done.stderr
        (receipt,) = json.loads(done.stdout)
        found = {stage["name"] for stage in receipt["stages"] if not stage["cached"]}
        assert found <= ran
        assert ran - found <= LEFT_BEHIND | COPIED.get(kind, set())
        assert found <= states.keys()
        # root makes no layer: BuildKit does not always speak of it.
        assert {stage["name"] for stage in receipt["stages"]} | {"root"} == {item["stage"] for item in told}
        after = json.loads(rich.baker("plan", "--json").stdout)
        assert {item["state"] for item in after} == {"cached"}
        assert all(item["seconds"] for item in after if item["stage"] in found)
    finally:
        for path, content in before.items():
            path.write_bytes(content)


def test_a_plan_without_a_ledger_reads_the_labels(built):
    (built.root / ".baker" / "ledger.json").unlink()
    told = json.loads(built.baker("plan", "--json").stdout)
    assert {item["state"] for item in told} == {"cached"}


def test_a_failed_build_is_planned_from_where_it_stopped(project):
    project.write("services/hello/service.toml", f'{SERVICE}\n[crate.links]\ncpu = ["libcuda.so.1"]\n')
    failure(project.build(), 6)
    told = {item["stage"]: item["state"] for item in json.loads(project.baker("plan", "--json").stdout)}
    assert (told["toolchain"], told[CRATE_STAGE]) == ("cached", "cached")
    assert (told[BINARY], told["hello"]) == ("build", "build")


def test_a_build_leaves_a_report(built):
    """What the page says of stages is what BuildKit told: here in words."""
    built.write("services/hello/motd", f"{uuid.uuid4()}\n")
    assert built.build().returncode == 0
    told = built.baker("report", "--text").stdout
    assert re.search(r"^Build of hello, 20.* UTC: finished after ", told)
    assert re.search(r"^\* hello +[ █]+ +\d", told, re.MULTILINE)
    assert re.search(r"^\* verify hello ", told, re.MULTILINE)
    assert f"binary-{CRATE}-cpu" in told.partition("From the cache")[2].partition("Layers")[0].split()
    # Two builds: their sizes, and the layers that only this one has.
    assert len(re.findall(r"^20\d\d-.*  hello \d", told, re.MULTILINE)) == 2
    assert built.baker("report").returncode == 0
    assert f"binary-{CRATE}-cpu" in (built.root / ".baker/report.html").read_text()


def bakes(project: Project, *argv: str) -> bool:
    """Whether a build called BuildKit: it writes a new log then."""
    log = project.root / ".baker" / "build.log"
    log.unlink(missing_ok=True)
    done = project.build(*argv)
    assert done.returncode == 0, done.stdout + done.stderr
    return log.exists()


def test_nothing_to_do_calls_no_buildkit(built):
    assert not bakes(built)
    assert bakes(built, "--force")
    assert not bakes(built)


def test_an_image_that_was_removed_or_retagged_by_hand_is_noticed(built, engine, debian_root):
    wanted = engine.images.get(built.image).id
    engine.images.remove(built.image)
    assert bakes(built)
    engine.images.get(debian_root).tag(*built.image.rsplit(":", 1))
    assert bakes(built)
    assert engine.images.get(built.image).id == wanted
    assert not bakes(built)


def test_a_lock_that_is_broken_is_no_reason_to_say_that_nothing_changed(rich):
    lock = rich.root / "services/hello/environment/uv.lock"
    text = lock.read_text()
    try:
        lock.write_text(text + "[[package")
        assert "broken" in failure(rich.build(), 3)
    finally:
        lock.write_text(text)
