"""What `baker build` and `baker verify` make of an image that fails, here or in a registry."""

from __future__ import annotations

import json
import subprocess

import pytest

from baker.build import pipeline
from baker.errors import UsageError, VerifyError
from tests.docker.here import ENGINE
from tests.docker.project import NAMESPACE, failure, tagged, tags
from tests.docker.publishing import anonymous

CANARY = f"hf_{'Canary' * 6}"


def test_nothing_that_fails_gets_a_tag(whole, engine):
    project, _ = whole
    before = engine.images.get(project.image).id
    text = (project.root / "services/hello/service.toml").read_text()
    project.write("services/hello/service.toml", text.replace('["iniconfig"]', '["iniconfig", "no_such_module"]'))
    try:
        done = project.build()
    finally:
        project.write("services/hello/service.toml", text)
    assert done.returncode == VerifyError.exit_code
    assert "no_such_module" in done.stderr
    assert engine.images.get(project.image).id == before
    assert pipeline.STAGING not in str(tagged(engine, project))


def test_a_token_in_a_file_of_the_project(whole):
    """All else has passed before, and is not looked at again."""
    project, _ = whole
    project.write("services/hello/motd", CANARY)
    try:
        said = failure(project.build(), VerifyError.exit_code)
    finally:
        project.write("services/hello/motd", "hello\n")
    assert "secrets: looks like a secret: /app/motd" in said


def test_a_pushed_image(whole, engine, registry):
    """By tag and by digest, pulled and removed again; text and JSON, and the exit code."""
    project, _ = whole
    name = f"{registry}/{NAMESPACE}/pushed"
    build = ["docker", "buildx", "build", "--provenance=false", "--output"]
    # As publishing packs them.
    kind = "type=image,name={}:{},push=true,oci-mediatypes=true,compression=zstd,force-compression=true"
    digests = {}
    for tag, user in (("good", "1000:1000"), ("bad", "root")):
        text = f"FROM {project.image}\nUSER {user}\n"
        subprocess.run([*build, kind.format(name, tag), "-"], input=text.encode(), check=True, capture_output=True)
        with anonymous().repository(name) as repository:
            found = repository.find(tag)
        assert found is not None
        digests[tag] = found.digest
        ENGINE.remove(f"{name}:{tag}")
    good = project.baker("verify", f"{name}:good", "--json")
    assert good.returncode == 0, good.stderr
    (found,) = json.loads(good.stdout).values()
    assert all(item["passed"] for item in found)
    bad = project.baker("verify", f"{name}@{digests['bad']}", "hello")
    assert "user: runs as root" in failure(bad, VerifyError.exit_code)
    assert "ready" in bad.stdout, "all checks run"
    assert f"{project.image}\n" in bad.stdout
    assert tags(engine, name) == []


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("{registry}/no/such:tag", 5, "no/such:tag: not found"),
        ("127.0.0.1:1/no/such:tag", 5, "connection refused"),
        ("{registry}/no/such@sha256:12", UsageError.exit_code, "is no image's name"),
        ("helo", UsageError.exit_code, "hello"),
    ],
)
def test_an_image_that_is_nowhere(whole, registry, name, code, says):
    project, _ = whole
    assert says in failure(project.baker("verify", name.format(registry=registry)), code)
