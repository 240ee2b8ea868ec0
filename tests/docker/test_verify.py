"""Each check of an image, with an image that is broken in just that way."""

from __future__ import annotations

import subprocess
import uuid
from dataclasses import replace

import pytest

from baker import pipeline, prepare, verify
from baker import project as projects
from baker.cli import options
from baker.errors import VerifyError
from tests.docker.project import CRATE, furnish

BINARY = f"/opt/baker/bin/{CRATE}-cpu"
CRYPTO = "/usr/lib/x86_64-linux-gnu/libcrypto.so.3"
LIBRARY = "/usr/lib/x86_64-linux-gnu/libgcc_s.so.1"
BROKEN = {
    "root": ("USER root", {"user"}, "runs as root"),
    "another entrypoint": ('ENTRYPOINT ["/bin/true"]', {"entrypoint"}, "/bin/true"),
    "another label": ("LABEL dev.baker.crate.version=9", {"labels"}, "crate.version='9'"),
    "a token in the environment": ("ENV HF_TOKEN=x", {"settings"}, "HF_TOKEN"),
    "a password in the history": ("RUN PASSWORD=hunter2 true", {"settings"}, "looks like a secret"),
    "a password in an address": ("LABEL where=https://me:hunter2@example.com", {"settings"}, "where"),
    "a token in a file": (f"RUN printf hf_%s {'a' * 34} > /app/token", {"secrets"}, "/app/token"),
    "a private key": (
        "RUN umask 077 && echo '-----BEGIN PRIVATE KEY-----' > /root/id",
        {"secrets"},
        "/root/id",
    ),
    "a login": ("RUN mkdir /root/.docker && touch /root/.docker/config.json", {"secrets"}, "config.json"),
    "a compiler": ("RUN touch /usr/bin/nvcc && chmod +x /usr/bin/nvcc", {"files"}, "nvcc is in the image"),
    "setuid": ("RUN chmod u+s /usr/bin/su", {"files"}, "setuid: /usr/bin/su"),
    "a library twice": (
        f"RUN cp {CRYPTO} /opt/libcopy.so",
        {"files"},
        "twice in the image",
    ),
    "a library gone": (f"RUN rm {LIBRARY}", {"libraries", "starts"}, "libgcc_s.so.1"),
    "a binary that fails": (f"RUN printf '#!/bin/sh\\nexit 3\\n' > {BINARY}", {"starts"}, "--help failed"),
    "a module gone": ("RUN rm -r /opt/venv/lib/python3*/site-packages/iniconfig", {"venv"}, "iniconfig"),
}


@pytest.fixture(scope="module")
def whole(make_project):
    """A built project with a venv, and the plan of its image."""
    project = make_project()
    furnish(project, uuid.uuid4().hex)
    text = (project.root / "services/hello/service.toml").read_text()
    project.write("services/hello/service.toml", text.replace("venv = true", 'venv = true\nimports = ["iniconfig"]'))
    done = project.build()
    assert done.returncode == 0, done.stdout + done.stderr
    request = options.request(["hello"], projects.find(project.root).root)
    planned = prepare.make_plan(request, prepare.choice(request, "debian", link=True))
    return project, planned.services[0]


def failed(reference, planned):
    return {item.name: item.detail for item in verify.check(reference, planned) if not item.passed}


def test_a_whole_image_passes(whole):
    project, planned = whole
    assert failed(project.image, planned) == {}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found_and_nothing_else(whole, name, engine):
    project, planned = whole
    change, checks, says = BROKEN[name]
    reference = f"{project.image.removesuffix(':latest')}:broken"
    # Settings of the image stay but for the one that is changed; RUN needs root for a moment.
    lines = ["USER 0:0", change, "USER 1000:1000"] if change.startswith("RUN") else [change]
    text = "\n".join([f"FROM {project.image}", *lines, ""])
    build = ["docker", "buildx", "build", "--load", f"--tag={reference}", "-"]
    subprocess.run(build, input=text.encode(), check=True, capture_output=True)
    try:
        found = failed(reference, planned)
    finally:
        engine.images.remove(reference)
    assert set(found) == checks, found
    assert any(says in detail for detail in found.values()), found


def test_larger_than_its_budget(whole):
    project, planned = whole
    assert set(failed(project.image, replace(planned, budget=1))) == {"size"}


def test_an_image_that_is_not_here(whole):
    _, planned = whole
    with pytest.raises(VerifyError, match="baker build hello"):
        verify.check("baker-test/no-such-image:latest", planned)


def test_nothing_that_fails_gets_a_tag(whole, engine):
    project, _ = whole
    before = engine.images.get(project.image).id
    text = (project.root / "services/hello/service.toml").read_text()
    project.write("services/hello/service.toml", text.replace('["iniconfig"]', '["iniconfig", "no_such_module"]'))
    done = project.build()
    assert done.returncode == VerifyError.exit_code
    assert "no_such_module" in done.stderr
    assert engine.images.get(project.image).id == before
    assert pipeline.STAGING not in str([image.tags for image in engine.images.list()])
