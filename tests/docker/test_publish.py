"""`baker publish`, `promote` and `rollback` against a real registry, signed with a real cosign."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from baker.publish import provenance
from baker.registry.client import Manifest
from tests.docker.project import CRATE, OLDER, OLDER_SHA256, SAID, SHA256, VERSION, failure
from tests.docker.publishing import (
    PASSWORD,
    SIGNED,
    VERSION_TAG,
    anonymous,
    cosign,
    digest,
    find,
    make_keys,
    make_signer,
    parts,
    publish,
    published,
    tags,
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
    shutil.copy(make_keys(tmp_path) / "cosign.pub", publisher.root / "cosign.pub")
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
        assert engine.containers.run(reference, remove=True).decode().strip() == SAID
    finally:
        engine.images.remove(reference)
    # The provenance says how it was made, down to the Dockerfile: that is what mode=max adds.
    index = find(home, item["digest"])
    assert index is not None
    with anonymous().repository(f"{home}/hello") as repository:
        statement = provenance.find(repository, index)
    assert statement is not None
    (source,) = statement["predicate"]["metadata"]["https://mobyproject.org/buildkit@v1#metadata"]["source"]["infos"]
    assert base64.b64decode(source["data"]).decode() == (context(publisher) / "Dockerfile").read_text()


def test_publishing_again_pushes_and_signs_nothing(publisher, home):
    first = published(publisher, home)
    before = tags(home)
    again = publish(publisher, home)
    second = json.loads(again.stdout)[0]
    assert second["digest"] == first["digest"]
    # Each layer was new to this registry, and none is the second time.
    assert first["sent"] > first["size"] > second["sent"] == 0
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


def put(home, content, media_type, project, bill):
    """Give a registry a manifest of our own, signed as baker signs; return its digest."""
    made = Manifest(digest=f"sha256:{hashlib.sha256(content).hexdigest()}", media_type=media_type, content=content)
    with anonymous().repository(f"{home}/hello") as repository:
        repository.tag(made, "forged")
    reference = f"{home}/hello@{made.digest}"
    signer = make_signer(project.root)
    signer.attest(reference, "cyclonedx", bill)
    signer.sign(reference)
    return made.digest


def context(project):
    return project.root / ".baker/context/debian-cpu"


def test_what_has_no_provenance_or_that_of_another_is_not_promoted(publisher, home):
    first = published(publisher, home)
    publisher.write("services/hello/motd", "second\n")
    second = published(publisher, home)
    ours, theirs = find(home, first["digest"]), find(home, second["digest"])
    assert ours is not None
    assert theirs is not None
    image, statement = ours.json["manifests"]
    bare = find(home, image["digest"])
    assert bare is not None
    lone = put(home, bare.content, bare.media_type, publisher, first["sbom"])
    assert lone == image["digest"]
    latest = f"{home}/hello:latest"
    assert "no provenance" in failure(publisher.baker("promote", f"{home}/hello:forged", latest), 7)
    # Said to be about this image, and about another one.
    other = theirs.json["manifests"][1] | {"annotations": statement["annotations"]}
    forged = json.dumps(ours.json | {"manifests": [image, other]}).encode()
    put(home, forged, ours.media_type, publisher, first["sbom"])
    assert "about another image" in failure(publisher.baker("promote", f"{home}/hello:forged", latest), 7)
    assert digest(home, "latest") == ""
    assert publisher.baker("promote", f"{home}/hello@{first['digest']}", latest).returncode == 0
    assert digest(home, "latest") == first["digest"]


def test_two_publishers_at_once_leave_a_signed_image_under_each_tag(make_project, keys, home):
    """Each of two machines publishes its own change of the same service."""
    projects = []
    for text in ("one\n", "two\n"):
        project = make_project()
        for name in ("cosign.key", "cosign.pub"):
            shutil.copy(keys / name, project.root)
        project.write("baker.toml", (project.root / "baker.toml").read_text() + SIGNED)
        project.write("services/hello/motd", text)
        projects.append(project)
    command = [sys.executable, "-m", "baker", "publish", "hello", "--json", "--release", "--registry", home]
    environment = {**os.environ, **PASSWORD}
    running = [
        subprocess.Popen(
            command, cwd=project.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for project in projects
    ]
    told = [process.communicate() for process in running]
    codes = [process.returncode for process in running]
    assert 0 in codes, told
    assert set(codes) <= {0, 7}, told
    for code, (_, said) in zip(codes, told, strict=True):
        assert code == 0 or "moved by someone else" in said
    # A digest of each publisher's may be under another tag; what is under one is signed.
    for tag in (VERSION_TAG, "latest"):
        found = digest(home, tag)
        assert found
        assert cosign(projects[0], "verify", f"{home}/hello@{found}").returncode == 0
    # Whoever was turned away runs the same command again.
    for project in projects:
        assert published(project, home, "--release")["digest"] == digest(home, "latest")


def test_a_change_of_a_file_sends_its_layer_and_an_upgrade_of_the_crate_the_binary(publisher, home):
    first = published(publisher, home)
    publisher.write("services/hello/motd", "second\n")
    second = published(publisher, home)
    assert 0 < pulled(home, first, second) < 50_000
    # What was sent is that, and the provenance, which nobody pulls.
    assert pulled(home, first, second) < second["sent"] < first["size"] / 100
    lock = (publisher.root / "baker.lock").read_text()
    publisher.write("baker.lock", lock.replace(f'"{VERSION}"', f'"{OLDER}"').replace(SHA256, OLDER_SHA256))
    third = published(publisher, home)
    # The binary of 0.2 MB, and small files beside it; not the 50 MB below.
    assert 200_000 < pulled(home, second, third) < 325_000
    text = (publisher.root / "services/hello/environment/pyproject.toml").read_text()
    publisher.write("services/hello/environment/pyproject.toml", text.replace("iniconfig==2.0.0", "iniconfig==2.1.0"))
    assert publisher.baker("lock").returncode == 0
    # The environment of one small package.
    assert 0 < pulled(home, third, published(publisher, home)) < 50_000


def pulled(home, before, after):
    """Return the bytes that a machine downloads which has another image already."""
    known = parts(f"{home}/hello", before["digest"])
    return sum(size for part, size in parts(f"{home}/hello", after["digest"]).items() if part not in known)
