"""A build cache in a registry: what one engine compiled, an empty one takes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from contextlib import ExitStack

import pytest

from tests.docker import second_engine
from tests.docker.project import CRATE, SAID, Project


@pytest.fixture(scope="module")
def repository(registry):
    return f"{registry}/baker-test/cache-{os.getpid()}"


@pytest.fixture(scope="module")
def kept(make_project, repository, registry, engine, debian_root):
    """A project that was built with its cache left in the registry.

    By the BuildKit of the engine that is to read it: another release computes other keys, and finds nothing.
    """
    project = make_project()
    with ExitStack() as stack:
        there = {}
        if not engine.version()["Version"].startswith(second_engine.VERSION):
            there["DOCKER_HOST"] = stack.enter_context(second_engine.running(engine, debian_root, registry=registry))
        done = project.build("--cache-to", repository, **there)
    assert done.returncode == 0, done.stdout + done.stderr
    return project


def test_one_ref_for_each_group_of_stages(kept, repository):
    assert (kept.root / ".baker").exists()
    host, _, path = repository.partition("/")
    with urllib.request.urlopen(f"http://{host}/v2/{path}/tags/list") as answer:
        assert sorted(json.load(answer)["tags"]) == [f"binary-{CRATE}-cpu-debian-cpu", "hello-debian-cpu"]


def test_an_empty_engine_builds_without_compiling(kept, repository, registry, engine, debian_root, tmp_path):
    shutil.copytree(kept.root, tmp_path / "clone", ignore=shutil.ignore_patterns(".baker"))
    clone = Project(tmp_path / "clone")
    clone.write("services/hello/motd", "changed on the second machine\n")
    with second_engine.running(engine, debian_root, registry=registry) as host:
        told = json.loads(clone.baker("plan", "--json", DOCKER_HOST=host).stdout)
        assert {item["state"] for item in told} == {"build"}
        done = clone.build("--json", "--cache-from", repository, DOCKER_HOST=host)
        assert done.returncode == 0, done.stderr
        (receipt,) = json.loads(done.stdout)
        ran = {stage["name"] for stage in receipt["stages"] if not stage["cached"]}
        assert ran == {"hello"}
        command = ["docker", "--host", host, "run", "--rm", "--network=none", receipt["image"], "--version"]
        assert subprocess.check_output(command, text=True).strip() == SAID


def test_a_cache_that_is_not_there_is_no_error(project, registry):
    done = project.build("--cache-from", f"{registry}/baker-test/no-such-cache")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_cache_that_cannot_be_written_is_no_error(project):
    done = project.build("--cache-to", "127.0.0.1:9/baker-test/cache")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "127.0.0.1:9" in (project.root / ".baker/build.log").read_text()
