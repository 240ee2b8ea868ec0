"""Images of the other platform: cross-compiled here, run by emulation, and checked without running each file."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

import pytest
from filelock import FileLock

from baker.build import root_image
from baker.config import platforms
from baker.config import project as projects
from baker.dockerfile import root as root_recipe
from baker.engine import containers
from baker.verify import checks, closure, filesystem
from tests import run
from tests.docker import crates, greeter, publishing
from tests.docker.here import ENGINE
from tests.docker.project import NAMESPACE

pytestmark = pytest.mark.nightly

HERE = platforms.of_machine(os.uname().machine)
OTHER = next(each for each in platforms.ALL if each != HERE)
SERVICE = """
[crate]
name = "baker-greeter"
[image]
tools = ["teller"]
"""
TELLER = 'fn main() { println!("told on {}", std::env::consts::ARCH) }\n'


@pytest.fixture(scope="module")
def foreign(make_project, engine, tmp_path_factory):
    """A project that was built for the other platform, and then for this one: a crate, and a tool of its own."""
    found = projects.find(Path(__file__).parent)
    root = root_recipe.root(found.read_pins().debian, found.read_settings().mirrors, OTHER)
    with FileLock(Path(tempfile.gettempdir()) / f"{run.PREFIX}root{OTHER.suffix}.lock"):
        root_image.ensure(ENGINE, root, print)
    project, crate = make_project(), greeter.saying("hello from afar")
    folder = "services/hello"
    project.write(f"{folder}/service.toml", SERVICE)
    project.write(f"{folder}/teller/Cargo.toml", '[package]\nname = "teller"\nversion = "0.1.0"\nedition = "2021"\n')
    project.write(f"{folder}/teller/Cargo.lock", 'version = 3\n[[package]]\nname = "teller"\nversion = "0.1.0"\n')
    project.write(f"{folder}/teller/src/main.rs", TELLER)
    with crates.index(engine, tmp_path_factory.mktemp("index"), crate, *crate.needs) as url:
        lock = (project.root / "baker.lock").read_text()
        project.write(
            "baker.lock", f'{lock}[crates.{crate.name}]\nversion = "{crate.version}"\nsha256 = "{crate.sha256}"\n'
        )
        settings = (project.root / "baker.toml").read_text()
        project.write("baker.toml", f'{settings}platforms = ["{OTHER.name}"]\n[mirrors]\ncrates = "{url}"\n')
        for options in ((), (f"--platform={HERE.name}",)):
            done = project.build(*options)
            assert done.returncode == 0, done.stdout + done.stderr
    return project


def name(project):
    """Return the name of an image that the engine does not run by itself."""
    return f"{project.image}-{OTHER.architecture}"


def test_the_image_is_of_the_other_platform_and_its_programs_run(foreign, engine):
    image = engine.images.get(name(foreign))
    assert f"linux/{image.attrs['Architecture']}" == OTHER.name
    assert engine.containers.run(name(foreign), remove=True).decode() == "hello from afar\n"
    told = engine.containers.run(name(foreign), entrypoint="/opt/baker/bin/teller", remove=True).decode()
    assert told == f"told on {OTHER.machine}\n"


def test_what_compiles_is_not_emulated(foreign):
    text = (foreign.root / f".baker/context/debian-cpu{OTHER.suffix}/Dockerfile").read_text()
    assert "FROM --platform=$BUILDPLATFORM " in text
    assert f"{OTHER.machine}-unknown-linux-gnu" in text


def test_the_image_of_this_platform_keeps_its_name(foreign, engine):
    assert f"linux/{engine.images.get(foreign.image).attrs['Architecture']}" == HERE.name


def test_an_unchanged_image_of_another_platform_is_found(foreign):
    done = foreign.build()
    assert "nothing has changed" in done.stdout


def test_verify_reads_the_libraries_of_the_other_platform(foreign):
    done = foreign.baker("verify", "hello")
    assert done.returncode == 0, done.stdout
    assert "ELF files find what they need" in done.stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (f"RUN rm /usr/lib/{OTHER.triplet}/libgcc_s.so.1", "baker-greeter-cpu needs libgcc_s.so.1"),
        (f"RUN truncate --size=60000 /usr/lib/{OTHER.triplet}/libz.so.1.*", ": it is "),
    ],
    ids=["gone", "cut short"],
)
def test_a_library_of_the_other_platform_is(foreign, engine, tmp_path, change, said):
    (tmp_path / "Dockerfile").write_text(f"FROM {name(foreign)}\nUSER 0:0\n{change}\n")
    reference = f"{NAMESPACE}/broken:{uuid.uuid4().hex[:8]}"
    build = ["docker", "buildx", "build", "--load", f"--platform={OTHER.name}", f"--tag={reference}", str(tmp_path)]
    subprocess.run(build, check=True, capture_output=True)
    try:
        with containers.exported(ENGINE, reference) as stream:
            found = closure.resolve(closure.read(stream), OTHER)
    finally:
        engine.images.remove(reference)
    assert [text for text in (*(" needs ".join(pair) for pair in found.needs), *found.unloadable) if said in text]


def test_the_start_script_asks_the_loader_of_the_other_platform(foreign):
    script = Path(__file__).parents[2] / "services/moshi-server/start/binaries.sh"
    look = 'check /usr/bin/dpkg-deb; echo "problem=$problem"'
    text = f"{script.read_text()}\n{look}\nrm /usr/lib/{OTHER.triplet}/libbz2.so.1.0*\n{look}\n"
    said = containers.run_once(ENGINE, name(foreign), ["-c", text], entrypoint="/bin/bash", user="0:0").splitlines()
    assert said == ["problem=", "problem=/usr/bin/dpkg-deb does not load, missing: libbz2.so.1.0"]


def test_the_files_that_are_read_are_those_that_a_loader_is_asked_about(debian_root):
    """On this platform both ways can be taken, and have to find the same."""
    said = checks.said(ENGINE, debian_root, "files", ("libraries",), user="0:0", cap_add=["DAC_READ_SEARCH"])
    asked = filesystem.listed(said.splitlines())
    with containers.exported(ENGINE, debian_root) as stream:
        found = closure.resolve(closure.read(stream), HERE)
    assert set(found.files) == {path for path, _ in asked["elf"]}
    assert (found.needs, found.unloadable) == ((), ())


def test_both_platforms_are_published_as_one_index(foreign, keys, home, with_skopeo, engine):
    assert with_skopeo is None
    for file in ("cosign.key", "cosign.pub"):
        shutil.copy(keys / file, foreign.root)
    foreign.write("baker.toml", (foreign.root / "baker.toml").read_text() + publishing.SIGNED)
    latest, both = f"{home}/hello:latest", f"--platform={HERE.name},{OTHER.name}"
    alone = publishing.published(foreign, home, f"--platform={HERE.name}", "--release")
    item = publishing.published(foreign, home, both, "--release")
    assert publishing.digest(home, "latest") == item["digest"] != alone["digest"]
    index = publishing.find(home, item["digest"])
    assert index is not None
    found = [f"{entry['platform']['os']}/{entry['platform']['architecture']}" for entry in index.json["manifests"]]
    assert sorted(found) == sorted([HERE.name, OTHER.name, "unknown/unknown", "unknown/unknown"])
    reference = f"{home}/hello@{item['digest']}"
    assert publishing.cosign(foreign, "verify", reference).returncode == 0
    stated = publishing.cosign(foreign, "verify-attestation", reference, "--type=cyclonedx")
    assert stated.returncode == 0, stated.stderr
    assert len(stated.stdout.splitlines()) == 2
    # An engine takes its own, and by a name the other one.
    for platform in (HERE, OTHER):
        image = engine.images.pull(reference, platform=platform.name)
        assert f"linux/{image.attrs['Architecture']}" == platform.name
        engine.images.remove(reference)
    assert publishing.published(foreign, home, both, "--release")["sent"] == 0
    back = foreign.baker("rollback", latest)
    assert back.returncode == 0, back.stderr
    assert publishing.digest(home, "latest") == alone["digest"]
    forth = foreign.baker("promote", reference, latest)
    assert forth.returncode == 0, forth.stderr
    assert publishing.digest(home, "latest") == item["digest"]
