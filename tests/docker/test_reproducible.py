"""`baker build --reproducible`: the same input gives the same bytes, on engines that share nothing."""

from __future__ import annotations

import json
import shutil
import uuid

from tests.docker import layers, second_engine
from tests.docker.project import Project, failure, furnish


def test_two_empty_engines_and_two_folders_make_the_same_image(project, engine, debian_root, tmp_path):
    furnish(project, uuid.uuid4().hex)
    again = Project(tmp_path / "another" / "folder")
    shutil.copytree(project.root, again.root)
    digests, saved = [], []
    for number, one in enumerate((project, again)):
        with second_engine.running(engine, debian_root) as host:
            done = one.build("--reproducible", "--json", DOCKER_HOST=host)
            assert done.returncode == 0, done.stdout + done.stderr
            (receipt,) = json.loads(done.stdout)
            # Nothing came from a cache: both have really been built.
            assert not [stage["name"] for stage in receipt["stages"] if stage["cached"] and stage["name"] != "root"]
            digests.append(receipt["digest"])
            saved.append(layers.save(host, receipt["image"], tmp_path / f"{number}.tar"))
    assert layers.differences(*saved) == []
    assert digests[0] == digests[1]


def test_without_it_they_differ_and_each_difference_is_named(project, tmp_path):
    saved = []
    for number in range(2):
        project.write("services/hello/motd", f"{number}\n")
        assert project.build().returncode == 0
        saved.append(layers.save("", project.image, tmp_path / f"{number}.tar"))
    found = layers.differences(*saved)
    assert any("app/motd" in line for line in found), found
    assert any(line.startswith("config created") for line in found), found


def test_a_change_of_the_option_builds_again_without_running_a_step(built, engine):
    done = built.build("--reproducible", "--json")
    assert done.returncode == 0, done.stderr
    (receipt,) = json.loads(done.stdout)
    ran = {stage["name"] for stage in receipt["stages"] if not stage["cached"]}
    # BuildKit of Docker 28 gives the folder of WORKDIR the pinned time, and so makes that one layer of an image anew.
    assert ran <= ({"hello"} if int(engine.version()["Version"].partition(".")[0]) >= 28 else set())
    again = built.build("--reproducible", "--json")
    assert "nothing has changed" in again.stderr
    assert json.loads(again.stdout)[0]["digest"] == receipt["digest"]


def test_without_a_pinned_time_there_is_none_to_give(project):
    lock = (project.root / "baker.lock").read_text()
    project.write("baker.lock", "\n".join(line for line in lock.splitlines() if not line.startswith("snapshot")) + "\n")
    assert "[debian] snapshot" in failure(project.build("--reproducible"), 3)
