"""`baker cache` on an engine of its own, beside what is not baker's."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from baker.buildkit import cache_local, history
from baker.dockerfile import render, stages
from baker.engine.client import Docker
from tests.docker import second_engine

OURS = """\
FROM {root} AS ours
RUN --network=none --mount=type=cache,id=baker-uv,target=/cache echo ours > /cache/x && echo ours > /ours
"""
THEIRS = """\
FROM {root} AS ours
RUN --network=none --mount=type=cache,id=uv,target=/cache echo theirs > /cache/x && echo theirs > /theirs
"""


@pytest.fixture(scope="module")
def elsewhere(engine, debian_root):
    with second_engine.running(engine, debian_root) as host:
        yield host


def records(host: str) -> set[str]:
    told = subprocess.check_output(["docker", "--host", host, "buildx", "du", "--verbose"], text=True)
    return {line.split()[1].rstrip("*") for line in told.splitlines() if line.startswith("ID:")}


def test_only_what_is_bakers_goes_and_only_when_asked(project, elsewhere, debian_root, tmp_path):
    for name, text in (("ours", OURS), ("theirs", THEIRS)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "Dockerfile").write_text(text.format(root=debian_root))
        command = ["docker", "buildx", "build", "--output=type=cacheonly", str(folder)]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "DOCKER_HOST": elsewhere})
    made = stages.read([render.text("Dockerfile", OURS.format(root=debian_root))])
    history.record(project.root / ".baker", "elsewhere", made, [])

    shown = json.loads(project.baker("cache", "show", "--json", DOCKER_HOST=elsewhere).stdout)
    assert sorted((item["kind"], item["name"]) for item in shown) == [("layer", "ours"), ("mount", "baker-uv")]
    engine = Docker({**os.environ, "DOCKER_HOST": elsewhere})
    assert cache_local.kept(engine, "", made) == {"ours"}
    before = records(elsewhere)
    assert {item["id"] for item in shown} < before

    dry = project.baker("cache", "prune", DOCKER_HOST=elsewhere)
    assert "nothing was removed: pass --yes" in dry.stderr
    assert all(item["id"] in dry.stdout for item in shown)
    assert records(elsewhere) == before

    young = project.baker("cache", "prune", "--older-than", "1d", "--yes", DOCKER_HOST=elsewhere)
    assert young.returncode == 0, young.stderr
    assert records(elsewhere) == before

    done = project.baker("cache", "prune", "--yes", DOCKER_HOST=elsewhere)
    assert done.returncode == 0, done.stderr
    assert before - records(elsewhere) == {item["id"] for item in shown}
    assert json.loads(project.baker("cache", "show", "--json", DOCKER_HOST=elsewhere).stdout) == []
    # What is not baker's is another step, of a stage of the same name.
    assert cache_local.kept(engine, "", made) == set()
    engine.close()
