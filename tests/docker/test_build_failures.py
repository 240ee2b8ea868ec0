"""Everything that can go wrong with `baker build`: what it says, and that no tag moves."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.docker.building import add_tool, running
from tests.docker.project import NAMESPACE, SERVICE, SHA256, failure, tagged


def test_wrong_sha256(built, engine):
    before, tags = engine.images.get(built.image).id, tagged(engine, built)
    lock = built.root / "baker.lock"
    lock.write_text(lock.read_text().replace(SHA256, "0" * 64))
    said = failure(built.build(), 6)
    assert f"has sha256 {SHA256}, the lock says {'0' * 64}" in said
    assert "build.log" in said
    assert engine.images.get(built.image).id == before
    assert tagged(engine, built) == tags


def test_a_binary_that_does_not_link_what_it_should(project, engine):
    project.write("services/hello/service.toml", f'{SERVICE}\n[crate.links]\ncpu = ["libcuda.so.1"]\n')
    assert "does not link libcuda.so.1" in failure(project.build(), 6)
    assert tagged(engine, project) == []


def test_a_feature_that_the_crate_lacks(project, engine):
    project.write("services/hello/service.toml", f'{SERVICE}\n[crate.features]\ncpu = ["no-such-feature"]\n')
    assert "no-such-feature" in failure(project.build(), 6)
    assert tagged(engine, project) == []


def test_no_network_for_the_crates(project):
    with (project.root / "baker.toml").open("a") as file:
        file.write('[mirrors]\ncrates = "http://127.0.0.1:9/index/"\n')
    assert "Mirrors go into baker.toml" in failure(project.build(), 6)


def test_a_full_disk_in_the_engine(project, engine):
    name = f"full-{os.getpid()}"
    add_tool(project, name, 'fn main() { std::fs::write("/dev/full", "x").unwrap() }\n')
    assert "The disk is full: `docker system df`" in failure(project.build(), 6)
    assert tagged(engine, project) == []


def test_a_full_disk_under_the_log(built, engine):
    before = engine.images.get(built.image).id
    log = built.root / ".baker/build.log"
    log.unlink()
    log.symlink_to("/dev/full")
    assert "no space left on" in failure(built.build("--force"), 4)
    assert engine.images.get(built.image).id == before
    assert not running(f"tags={NAMESPACE}/{built.root.name}/")


def test_no_daemon(project):
    said = failure(project.build(DOCKER_HOST="unix:///no/such.sock"), 4)
    assert "no Docker engine answers at unix:///no/such.sock" in said


def test_no_buildx(project, tmp_path):
    """No variable hides the plugins in the system's own folders, so that a docker without them stands in."""
    shim = tmp_path / "docker"
    shim.write_text(
        '#!/bin/sh\n[ "$1" != buildx ] || { echo "docker: \'buildx\' is not a docker command." >&2; exit 1; }\n'
        f'exec {shutil.which("docker")} "$@"\n'
    )
    shim.chmod(0o755)
    said = failure(project.build(PATH=f"{tmp_path}:{os.environ['PATH']}"), 4)
    assert "docker has no buildx: install the buildx plugin: `sudo apt-get install docker-buildx`" in said


def test_no_docker_program(project, tmp_path):
    assert "docker is not installed" in failure(project.build(PATH=str(tmp_path)), 4)


STALE_LOCK = 'version = 1\n[[package]]\nname = "speech"\nversion = "0"\nsource = { virtual = "." }\n'
PYPROJECT = '[project]\nname = "speech"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = ["numpy>=2"]\n'


@pytest.mark.parametrize(
    ("files", "argv", "code", "message"),
    [
        ({}, ["helo"], 2, "there is no service 'helo' in "),
        ({"services/hello/service.toml": "[crate\n"}, [], 2, "services/hello/service.toml: not valid TOML"),
        (
            {"services/hello/service.toml": '[crate]\nname = "new"\n'},
            [],
            3,
            "no version of the crate new: run `baker lock`",
        ),
        ({}, ["--compute-cap", "8.0,ampere"], 2, "'ampere' is no compute capability"),
        (
            {
                "services/hello/service.toml": f'{SERVICE}[python]\nproject = "."\nvenv = true\n',
                "services/hello/pyproject.toml": PYPROJECT,
                "services/hello/uv.lock": STALE_LOCK,
            },
            [],
            3,
            "uv.lock is out of date: [project] dependencies of",
        ),
    ],
    ids=["service", "toml", "pin", "capability", "uv.lock"],
)
def test_bad_input(project, engine, files, argv, code, message):
    for name, text in files.items():
        project.write(name, text)
    said = failure(project.baker("build", *argv), code)
    assert message in said
    assert len(said.splitlines()) == 1
    assert tagged(engine, project) == []


def test_no_such_builder(project):
    assert "no such builder" in failure(project.build("--builder", "nobody"), 4)


def test_no_mmdebstrap(project, tmp_path):
    """With a mirror of its own the root is another one, which is not there yet."""
    for program in ("docker", "git"):
        (tmp_path / program).symlink_to(shutil.which(program) or program)
    with (project.root / "baker.toml").open("a") as file:
        file.write('[mirrors]\ndebian = "http://127.0.0.1:9/debian"\n')
    said = failure(project.build(PATH=str(tmp_path)), 4)
    assert "mmdebstrap is not installed" in said
    assert "apt-get install mmdebstrap" in said
