"""`baker publish`, `promote` and `rollback` against a real registry, signed with a real cosign."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from baker.registry import Repository
from tests.docker.project import CRATE, VERSION, failure, furnish

VERSION_TAG = f"{VERSION}-cpu"
PASSWORD = {"COSIGN_PASSWORD": "for tests"}
SIGNED = '\n[publish]\nkey = "cosign.key"\npublic-key = "cosign.pub"\ntransparency-log = false\n'


@pytest.fixture(scope="module")
def keys(tmp_path_factory, with_cosign):
    """A folder with a key pair."""
    assert with_cosign is None
    folder = tmp_path_factory.mktemp("keys")
    environment = {**os.environ, **PASSWORD}
    subprocess.run(["cosign", "generate-key-pair"], cwd=folder, env=environment, check=True, capture_output=True)
    return folder


@pytest.fixture
def publisher(make_project, keys):
    """A project with a key, one of everything in its image, and `publish` for it."""
    project = make_project()
    furnish(project, uuid.uuid4().hex)
    for name in ("cosign.key", "cosign.pub"):
        shutil.copy(keys / name, project.root)
    project.write("baker.toml", (project.root / "baker.toml").read_text() + SIGNED)
    return project


@pytest.fixture
def home(registry):
    return f"{registry}/baker-test/{uuid.uuid4().hex[:8]}"


def publish(project, home, *argv):
    return project.baker("publish", "hello", "--json", "--registry", home, *argv, **PASSWORD)


def published(project, home, *argv):
    done = publish(project, home, *argv)
    assert done.returncode == 0, done.stdout + done.stderr
    (item,) = json.loads(done.stdout)
    return item


def find(home, reference):
    with Repository(f"{home}/hello") as repository:
        return repository.find(reference)


def tags(home):
    with Repository(f"{home}/hello") as repository:
        return repository.tags()


def digest(home, tag):
    found = find(home, tag)
    return found.digest if found else ""


def cosign(project, command, reference, *argv):
    ignore = "--insecure-ignore-tlog=true"
    return subprocess.run(
        ["cosign", command, "--key=cosign.pub", ignore, *argv, reference],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=False,
    )


def test_published_signed_listed_and_tagged(publisher, home, engine, tmp_path):
    dry = publish(publisher, home, "--release", "--dry-run")
    assert json.loads(dry.stdout)[0]["tags"] == {VERSION_TAG: "", "latest": ""}
    assert tags(home) == ()
    item = published(publisher, home, "--release")
    reference = f"{home}/hello@{item['digest']}"
    assert digest(home, "latest") == digest(home, VERSION_TAG) == item["digest"]
    assert cosign(publisher, "verify", reference).returncode == 0
    stated = cosign(publisher, "verify-attestation", reference, "--type=cyclonedx")
    assert stated.returncode == 0, stated.stderr
    # Another key did not sign it.
    environment = {**os.environ, **PASSWORD}
    subprocess.run(["cosign", "generate-key-pair"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    shutil.copy(tmp_path / "cosign.pub", publisher.root / "cosign.pub")
    assert cosign(publisher, "verify", reference).returncode != 0
    # The bill of materials is valid, and has a package of each kind that the image is known to have.
    bill = (publisher.root / item["sbom"]).read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill) is None
    purls = [component["purl"] for component in json.loads(bill)["components"]]
    assert f"pkg:cargo/{CRATE}@{VERSION}" in purls
    assert "pkg:pypi/iniconfig@2.0.0" in purls
    assert any(purl.startswith("pkg:deb/debian/libssl3t64@") and "distro=debian-13" in purl for purl in purls)
    # What was pushed can be pulled and starts.
    engine.images.pull(reference)
    try:
        assert engine.containers.run(reference, remove=True).decode().strip() == f"{CRATE} {VERSION}"
    finally:
        engine.images.remove(reference)
    # The provenance is there too.
    index = find(home, item["digest"])
    assert index is not None
    kinds = [entry.get("annotations", {}).get("vnd.docker.reference.type") for entry in index.json["manifests"]]
    assert "attestation-manifest" in kinds


def test_publishing_again_pushes_and_signs_nothing(publisher, home):
    first = published(publisher, home)
    before = tags(home)
    again = publish(publisher, home)
    assert json.loads(again.stdout)[0]["digest"] == first["digest"]
    assert "pushing" not in again.stderr
    assert "signing" not in again.stderr
    assert tags(home) == before


def test_a_moved_tag_keeps_its_former_image_and_goes_back(publisher, home):
    first = published(publisher, home, "--release")["digest"]
    publisher.write("services/hello/motd", "second\n")
    second = published(publisher, home)["digest"]
    latest = f"{home}/hello:latest"
    assert (digest(home, "latest"), digest(home, VERSION_TAG)) == (first, second)
    assert publisher.baker("promote", f"{home}/hello:{VERSION_TAG}", latest).returncode == 0
    assert digest(home, "latest") == second
    for expected in (first, second):
        assert publisher.baker("rollback", latest).returncode == 0
        assert digest(home, "latest") == expected


def test_what_is_not_signed_is_not_promoted(publisher, home, engine, project):
    assert project.build().returncode == 0
    engine.images.get(project.image).tag(f"{home}/hello", tag="unsigned")
    engine.images.push(f"{home}/hello", tag="unsigned")
    engine.images.remove(f"{home}/hello:unsigned")
    done = publisher.baker("promote", f"{home}/hello:unsigned", f"{home}/hello:latest")
    assert "signatures" in failure(done, 7)
    assert digest(home, "latest") == ""


def test_a_failing_signature_leaves_no_tag_and_the_next_call_goes_on(publisher, home):
    done = publisher.baker("publish", "hello", "--registry", home, **(PASSWORD | {"COSIGN_PASSWORD": "wrong"}))
    assert "cosign attest failed" in failure(done, 7)
    assert not any(digest(home, tag) for tag in (VERSION_TAG, "latest"))
    assert digest(home, VERSION_TAG) == ""
    assert published(publisher, home)["digest"] == digest(home, VERSION_TAG)


def test_no_key_and_no_registry_are_said_before_anything_is_built(project, home):
    assert "[publish] key" in failure(publish(project, home), 2)
    assert "--registry HOST/PATH" in failure(project.baker("publish", "hello"), 2)
    assert not (project.root / ".baker/receipts").exists()


def test_nothing_was_moved_yet(publisher, home):
    assert "never been moved" in failure(publisher.baker("rollback", f"{home}/hello:latest"), 2)
    assert "no such image" in failure(publisher.baker("promote", f"{home}/hello:a", f"{home}/hello:b"), 2)
    assert "name a tag" in failure(publisher.baker("rollback", f"{home}/hello"), 2)
