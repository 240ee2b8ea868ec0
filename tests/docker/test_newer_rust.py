"""Crates that Debian's own Rust does not compile: baker takes that of Debian's backports for them, and for no other."""

from __future__ import annotations

import tomllib

import pytest

from tests.docker import crates
from tests.docker.crates import Crate
from tests.docker.project import failure, tagged

pytestmark = pytest.mark.nightly

# `is_multiple_of` is in the standard library since 1.87, and trixie's Rust is 1.85.
LIBRARY = Crate(
    name="baker-newer-library", files={"src/lib.rs": "pub fn even(n: u32) -> bool { n.is_multiple_of(2) }\n"}
)
# Its release says which Rust it wants.
TELLING = Crate(
    name="baker-newer",
    files={"src/main.rs": 'fn main() { println!("{}", baker_newer_library::even(4)) }\n'},
    needs=(LIBRARY,),
    rust="1.88",
)
# This one's does not.
SILENT = Crate(
    name="baker-silent",
    files={"src/main.rs": 'fn main() { println!("{}", baker_newer_library::even(3)) }\n'},
    needs=(LIBRARY,),
)


@pytest.fixture(scope="module")
def index(engine, tmp_path_factory):
    with crates.index(engine, tmp_path_factory.mktemp("newer"), TELLING, SILENT, LIBRARY) as url:
        yield url


@pytest.fixture
def project(make_project, index):
    """A project whose crates come from that index."""
    made = make_project()
    made.write("baker.toml", (made.root / "baker.toml").read_text() + f'[mirrors]\ncrates = "{index}"\n')
    return made


def bakes(project, crate: Crate, more: str = "") -> None:
    project.write("services/hello/service.toml", f'[crate]\nname = "{crate.name}"\n{more}')
    locked = project.baker("lock")
    assert locked.returncode == 0, locked.stdout + locked.stderr


def says(engine, project) -> str:
    done = project.build()
    assert done.returncode == 0, done.stdout + done.stderr
    return engine.containers.run(project.image, remove=True).decode().strip()


def test_what_a_release_says_is_enough(project, engine):
    bakes(project, TELLING)
    assert tomllib.loads((project.root / "baker.lock").read_text())["crates"][TELLING.name]["rust"] == "1.88"
    assert says(engine, project) == "true"


def test_what_no_release_says_is_a_setting(project, engine):
    bakes(project, SILENT)
    assert 'name it in service.toml, [crate], as in rust = "1.88"' in failure(project.build(), 6)
    bakes(project, SILENT, 'rust = "1.87"\n')
    assert says(engine, project) == "false"


def test_a_builder_compiles_with_it_too(project, engine):
    bakes(project, TELLING)
    done = project.build("--variant=builder")
    assert done.returncode == 0, done.stdout + done.stderr
    (image,) = (tag for tag in tagged(engine, project) if tag.endswith(":latest-builder"))
    said = engine.containers.run(image, ["--version"], entrypoint="cargo", remove=True).decode()
    assert tuple(map(int, said.split()[1].split(".")[:2])) >= (1, 88)
    installed = engine.containers.run(image, ["-W"], entrypoint="dpkg-query", remove=True).decode().splitlines()
    newer = {line.split()[0].partition(":")[0].rstrip("0123456789.") for line in installed if "~bpo" in line}
    assert newer == {"cargo", "rustc", "libstd-rust-dev", "libstd-rust-"}, "nothing else comes from the backports"
