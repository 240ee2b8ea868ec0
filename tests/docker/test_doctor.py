"""`baker doctor --fix` on a real machine: it builds what a compose file starts, and then finds it."""

from __future__ import annotations

import json
import shutil
import socket

import pytest

COMPOSE = """
services:
  hello:
    image: {image}
    ports: ["127.0.0.1:{port}:8080"]
"""
# All that a build takes, but no apt-get: nothing is installed on the machine that runs the tests.
PROGRAMS = ("docker", "git", "mmdebstrap", "nvidia-smi", "sh", "bash", "env")


@pytest.fixture
def taken():
    """A port that somebody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def path(tmp_path):
    """A PATH without a program that installs others."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in PROGRAMS:
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    return str(folder)


def findings(done):
    return {finding["name"]: finding for finding in json.loads(done.stdout)}


def test_what_compose_starts_is_built(shared, engine, path, taken):
    shared.write("docker-compose.yml", COMPOSE.format(image=shared.image, port=taken))
    engine.images.remove(shared.image, noprune=True, force=True)
    before = shared.baker("doctor", "--json", PATH=path)
    assert before.returncode == 4, "a port is taken"
    assert findings(before)["images"]["state"] == "note"
    done = shared.baker("doctor", "--fix", "--yes", "--json", PATH=path)
    found = findings(done)
    assert "1 fixed" in done.stderr
    assert (found["images"]["state"], found["images"]["fix"]) == ("ok", None)
    assert found[f"port {taken}"]["state"] == "missing"
    assert "another program" in found[f"port {taken}"]["detail"]
    assert engine.images.get(shared.image)
    for name in ("engine", "buildx", "compose", "memory", "clock"):
        assert found[name]["state"] != "missing", found[name]


def test_nobody_answers(shared, path):
    done = shared.baker("doctor", "--fix", PATH=path)
    assert (done.returncode, done.stderr.startswith("error: --fix asks")) == (2, True)


def test_a_machine_without_docker_is_told_so_in_one_line_for_each_need(shared, tmp_path):
    found = findings(shared.baker("doctor", "--json", PATH=str(tmp_path)))
    for name in ("buildx", "platforms", "compose", "compose up"):
        assert found[name]["state"] == "missing"
        assert "docker is not installed" in found[name]["detail"]
    for finding in found.values():
        assert "\n" not in finding["detail"]
        assert "Errno" not in finding["detail"]
        assert "exit code" not in finding["detail"]
