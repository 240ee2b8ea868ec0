"""Docker 29, as its release notes describe it: no Debian suite has it to try, so a stand-in follows its rules.

It refuses requests for a version of the API before 1.44, keeps images in containerd's store without being asked to, and
leaves out fields of an inspected image that are empty (https://docs.docker.com/engine/release-notes/29/,
https://docs.docker.com/reference/api/engine/version-history/#v152-api-changes).
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from baker.buildkit import bake, builder
from baker.engine.client import Docker
from baker.errors import CommandError, EngineError
from tests.unit.fakes import HERE, FakeEngine

LEAST, NEWEST = (1, 44), (1, 52)
DIGEST = "sha256:" + "ab" * 32
TOO_OLD = (
    "Error response from daemon: client version {} is too old. Minimum supported API version is 1.44, please upgrade "
    "your client to a newer version"
)
ANSWERS: dict[str, Any] = {
    "/_ping": "OK",
    "/version": {
        "Version": "29.0.1",
        "ApiVersion": "1.52",
        "MinAPIVersion": "1.44",
        "Components": [{"Name": "Engine"}],
    },
    "/info": {
        "ID": "x",
        "Architecture": "x86_64",
        "Driver": "overlayfs",
        "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
        "DockerRootDir": "/var/lib/docker",
        "SecurityOptions": ["name=seccomp,profile=builtin", "name=cgroupns"],
        "NCPU": 2,
    },
    f"/images/{DIGEST}/json": {"Id": DIGEST, "Size": 100, "Architecture": "amd64", "Os": "linux"},
    "/images/plain/json": {
        "Id": DIGEST,
        "RepoTags": ["plain:latest"],
        "Size": 100,
        "Architecture": "amd64",
        "Os": "linux",
        "Config": {"Cmd": ["sh"]},
        "RootFS": {"Type": "layers", "Layers": [DIGEST]},
        "Descriptor": {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": DIGEST, "size": 500},
    },
    "/images/plain/history": [{"Id": DIGEST, "CreatedBy": "COPY a / # buildkit", "Size": 100}],
    "/images/json": [{"Id": DIGEST, "RepoTags": ["plain:latest"], "Size": 100}, {"Id": DIGEST, "RepoTags": []}],
}


@pytest.fixture
def asked(monkeypatch):
    """Answer the SDK's requests in the engine's place; return the versions of the API that they are for."""
    versions: list[tuple[int, ...]] = []

    def send(_adapter, request, **_):
        path = urlsplit(request.url).path
        found = re.fullmatch(r"/v(\d+)\.(\d+)(/.*)", path)
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = 200, request.url, request
        content = ANSWERS.get(found[3] if found else path)
        if found:
            version = (int(found[1]), int(found[2]))
            versions.append(version)
            if not LEAST <= version <= NEWEST:
                answer.status_code, content = 400, {"message": TOO_OLD.format(".".join(found.groups()[:2]))}
        if content is None:
            answer.status_code, content = 404, {"message": f"No such image: {path}"}
        answer._content = (content if isinstance(content, str) else json.dumps(content)).encode()
        return answer

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    return versions


@pytest.fixture
def engine(asked):
    with Docker({"DOCKER_HOST": "unix:///no/such.sock"}) as found:
        yield found
    assert set(asked) <= {NEWEST}, "what both know is asked for, and nothing older"


def test_the_engine_is_asked_for_a_version_that_it_has(engine, asked):
    here = engine.describe()
    assert (here.version, here.containerd_store, here.security) == ("29.0.1", True, ("seccomp", "cgroupns"))
    assert (1, 52) in asked


def test_images_without_the_fields_that_it_leaves_out(engine):
    image = engine.image("plain")
    assert (image.id, image.labels, image.layers) == (DIGEST, {}, (DIGEST,))
    bare = engine.image(DIGEST)
    assert (bare.tags, bare.labels, bare.layers, bare.config, bare.platform) == ((), {}, (), {}, "linux/amd64")
    assert engine.image("none") is None
    assert engine.labels("x") == ({}, {})
    assert [found.id for found in engine.all_images()] == [DIGEST]
    assert engine.uncompressed_size("plain") == 100
    assert [layer.size for layer in engine.layers("plain")] == [100]


def test_its_builder_can_publish():
    fake = FakeEngine(info=HERE | {"version": "29.0.1"}, commands={"buildx inspect": "Name: default\nDriver: docker\n"})
    found = builder.inspect(fake, "")
    builder.require_oci((found,), fake.describe(), "baker publish")
    assert found.knows_link


def test_a_docker_command_that_is_too_old_for_it():
    """Debian 12's speaks 1.41."""

    def refuse(argv):
        raise CommandError(("docker", *argv), 1, TOO_OLD.format("1.41"))

    fake = FakeEngine(info=HERE | {"version": "29.0.1"}, commands={"buildx inspect": refuse})
    with pytest.raises(EngineError, match=r"client version 1\.41 is too old.*update the docker command and its buildx"):
        builder.inspect(fake, "")


@pytest.mark.parametrize(("provenance", "said"), [(False, "disabled=true"), (True, "mode=max")])
def test_a_build_always_says_which_provenance_it_wants(provenance, said):
    """buildx attaches one by default, and the image becomes an index."""
    argv = bake.arguments(builder="", secrets=(), output="", tags={"stt": "x"}, provenance=provenance)
    assert f"--set=*.attest=type=provenance,{said}" in argv
