"""One short scenario on each Docker engine of Debian's suites, with the buildx, skopeo and cosign of that suite."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from baker.engine.client import Docker
from tests.docker import publishing
from tests.docker.bridge import buildkit
from tests.docker.project import SAID, Project, failure, lay_out
from tests.engines import suites
from tests.engines.running import Engine, running
from tests.matrix.conftest import CHECKOUT


@pytest.fixture(scope="module", params=suites.SUITES)
def engine(request, root, port):
    """An engine of a suite, with nothing in it but the root image."""
    with running(request.param, port=port) as found:
        with Docker({**os.environ, **found.environment}) as client:
            client.load(root)
        yield found


@pytest.fixture(scope="module")
def publisher(engine, tmp_path_factory) -> Project:
    """A project with one small crate and a key to sign with, built."""
    project = Project(tmp_path_factory.mktemp("p"))
    shutil.copy(CHECKOUT.lock, project.root)
    lay_out(project)
    project.write("baker.toml", (project.root / "baker.toml").read_text() + publishing.SIGNED)
    publishing.make_keys(project.root, **engine.environment)
    done = project.build(**engine.environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return project


@pytest.fixture
def old(engine) -> bool:
    """Whether the engine is one that only builds: its BuildKit writes no OCI images."""
    return docker(engine, "version", "--format={{.Server.Version}}").startswith("20.10.")


def docker(engine: Engine, *argv: str) -> str:
    environment = {**os.environ, **engine.environment}
    done = subprocess.run(["docker", *argv], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_each_engine_is_the_one_of_its_suite(engine, request):
    (suite,) = (suite for suite in suites.SUITES.values() if suite.name in request.node.callspec.id)
    assert docker(engine, "version", "--format={{.Server.Version}}").startswith(f"{suite.docker}.")


def test_the_image_runs(engine, publisher):
    assert docker(engine, "run", "--rm", "--network=none", publisher.image, "--version") == SAID


def test_a_plan_finds_everything_cached(engine, publisher):
    planned = publisher.baker("plan", "hello", "--json", **engine.environment)
    assert planned.returncode == 0, planned.stderr
    assert {stage["state"] for stage in json.loads(planned.stdout)} == {"cached"}


def test_an_unchanged_build_does_nothing(engine, publisher):
    again = publisher.build(**engine.environment)
    assert again.returncode == 0, again.stderr
    assert "nothing has changed" in again.stdout


def test_the_image_passes_all_checks(engine, publisher):
    verified = publisher.baker("verify", "hello", "--json", **engine.environment)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    (checks,) = json.loads(verified.stdout).values()
    assert all(check["passed"] for check in checks)


def test_publishing_succeeds_or_says_what_it_takes(engine, publisher, home, old):
    done = publishing.publish(publisher, home, **engine.environment)
    if old:
        assert "needs Docker 26 or BuildKit 0.13" in failure(done, 4)
        assert publishing.tags(home) == ()
        return
    assert done.returncode == 0, done.stdout + done.stderr
    (item,) = json.loads(done.stdout)
    assert publishing.digest(home, publishing.VERSION_TAG) == item["digest"]


def test_a_remote_builder_builds_or_says_what_it_takes(engine, publisher, old, tmp_path):
    with buildkit(engine.host, tmp_path) as address:
        docker(engine, "buildx", "create", "--name=elsewhere", "--driver=remote", address)
        done = publisher.build("--builder=elsewhere", "--force", **engine.environment)
    if old:
        assert "takes Docker 25 or newer" in failure(done, 4)
        return
    assert done.returncode == 0, done.stdout + done.stderr
    assert docker(engine, "run", "--rm", "--network=none", publisher.image, "--version") == SAID
