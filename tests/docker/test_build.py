"""`baker build` for real, with a small crate from crates.io as the service."""

from __future__ import annotations

import json
import os
import re
import subprocess

from tests.docker.project import CRATE, NAMESPACE, SAID, layers


def test_the_image_runs_without_network_on_a_read_only_root(shared, engine):
    output = engine.containers.run(
        shared.image, ["--version"], network_mode="none", read_only=True, cap_drop=["ALL"], remove=True
    )
    assert output.decode().strip() == SAID


def test_a_second_build_compiles_nothing_and_says_so(shared):
    done = shared.build("--json", "--force")
    assert re.search(rf"binary-{CRATE}-cpu +cached\n", done.stderr)
    (receipt,) = json.loads(done.stdout)
    assert receipt["image"] == shared.image
    assert all(stage["cached"] for stage in receipt["stages"])


def test_a_change_of_a_file_replaces_only_small_layers(built, engine):
    before = layers(engine, built.image)
    built.write("services/hello/motd", "hello again\n")
    assert built.build().returncode == 0
    after = layers(engine, built.image)
    changed = [place for place, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    history = engine.api.history(built.image)
    sizes = [entry["Size"] for entry in history if entry["CreatedBy"].startswith(("COPY", "WORKDIR"))]
    assert changed
    assert len(changed) <= 2
    assert changed[0] == len(after) - 2
    assert all(size < 10**6 for size in sizes[:2])


def test_crlf_makes_no_difference(built, engine):
    before = layers(engine, built.image)
    for name in ("motd", "service.toml"):
        path = built.root / "services/hello" / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert built.build().returncode == 0
    assert layers(engine, built.image) == before


def test_plain_buildx_builds_the_rendered_context(project, engine):
    assert project.baker("render", "hello", "--output", "out").returncode == 0
    bundle = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    tag = f"{NAMESPACE}/plain:latest"
    command = ["docker", "buildx", "build", "--load", f"--secret=id=ca,src={bundle}", f"--tag={tag}", "--target=hello"]
    done = subprocess.run([*command, "out"], cwd=project.root, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert engine.containers.run(tag, ["--version"], remove=True).decode().startswith(CRATE)
