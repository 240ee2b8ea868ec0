"""Pushing to a real registry through a proxy that fails: tried again, gone on with, or said clearly."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from typing import Any

import pytest

from baker import promote, upload
from baker.errors import NetworkError, VerifyError
from baker.registry import Repository
from tests.docker import flaky

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CHUNK = 1 << 16
LAYER = 5 * CHUNK + 17


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(upload, "CHUNK", CHUNK)


@pytest.fixture
def proxy(registry):
    with flaky.before(registry) as found:
        yield found


@pytest.fixture
def repository(proxy):
    with Repository(f"{proxy.address}/baker-test/{uuid.uuid4().hex[:8]}") as found:
        yield found


@pytest.fixture
def layout(tmp_path):
    return write(tmp_path, os.urandom(LAYER))


def write(folder, layer):
    """Write an OCI layout with one layer that no registry has."""

    def blob(content: bytes, kind: str) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        path = folder / "blobs/sha256" / digest
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content)}

    config = blob(b'{"rootfs": {"type": "layers", "diff_ids": []}}', "application/vnd.oci.image.config.v1+json")
    layers = [blob(layer, "application/vnd.oci.image.layer.v1.tar+zstd")]
    content = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
    index = {"schemaVersion": 2, "manifests": [blob(json.dumps(content).encode(), MANIFEST)]}
    (folder / "index.json").write_text(json.dumps(index))
    return folder


@pytest.mark.parametrize(
    "faults",
    [
        [],
        [("HEAD", 500), ("POST", 503), ("PATCH", 500), ("PUT", 502), ("GET", 504)],
        [("HEAD", 429), ("POST", 429), ("PATCH", 429), ("PUT", 429)],
        [("PATCH", "cut before"), ("PATCH", "cut after"), ("PUT", "cut before")],
        [("POST", "cut before"), ("PATCH", "slow"), ("PUT", "cut after")],
    ],
    ids=["none", "5xx", "429", "cut", "cut and slow"],
)
def test_a_push_comes_through(proxy, repository, layout, faults):
    proxy.faults = list(faults)
    manifest = upload.push(repository, layout)
    assert proxy.faults == []
    assert manifest.json["layers"][0]["size"] == LAYER
    # By its digest alone.
    assert repository.tags() == ()
    (layer,) = manifest.json["layers"]
    got = repository.ask("GET", f"blobs/{layer['digest']}").content
    assert f"sha256:{hashlib.sha256(got).hexdigest()}" == layer["digest"]


def test_a_cut_layer_goes_on_where_it_was(proxy, repository, layout):
    # The config, two chunks of the layer, and the third does not arrive.
    proxy.faults = [*(("PATCH", "pass"),) * 3, ("PATCH", "cut before")]
    upload.push(repository, layout)
    assert proxy.faults == []
    # Six chunks of the layer and the config: only the one that was cut is sent twice.
    assert proxy.seen.count("PATCH") == 6 + 1 + 1


def test_what_is_there_is_not_sent_again(proxy, repository, layout):
    upload.push(repository, layout)
    proxy.seen.clear()
    upload.push(repository, layout)
    assert "PATCH" not in proxy.seen


def test_a_neighbour_lends_its_layers(proxy, repository, layout):
    upload.push(repository, layout)
    proxy.seen.clear()
    with Repository(f"{repository.name}-beside") as beside:
        upload.push(beside, layout, [repository.name])
    assert "PATCH" not in proxy.seen


def test_a_registry_that_stays_broken_leaves_nothing_and_the_next_push_goes_on(monkeypatch, proxy, repository, layout):
    monkeypatch.setattr(upload, "TRIES", 2)
    proxy.always = {"PATCH": 500}
    with pytest.raises(NetworkError, match="HTTP 500"):
        upload.push(repository, layout)
    assert repository.tags() == ()
    proxy.always = {}
    assert upload.push(repository, layout).json


@pytest.mark.parametrize(("status", "says"), [(401, "docker login"), (403, "docker login"), (507, "HTTP 507")])
def test_expired_credentials_and_a_full_disk_are_said(monkeypatch, proxy, repository, layout, status, says):
    monkeypatch.setattr(upload, "TRIES", 1)
    proxy.always = {"POST": status}
    with pytest.raises(NetworkError, match=says):
        upload.push(repository, layout)


def test_a_tag_that_somebody_else_moved_stays(repository, layout, tmp_path):
    ours = upload.push(repository, layout)
    theirs = upload.push(repository, write(tmp_path / "theirs", b"theirs"))
    promote.move(repository, "latest", theirs, "")
    with pytest.raises(VerifyError, match="moved by someone else"):
        promote.move(repository, "latest", ours, "")
    found = repository.find("latest")
    assert found is not None
    assert found.digest == theirs.digest
    promote.move(repository, "latest", ours, theirs.digest)
    assert [tag.partition("-before-")[0] for tag in repository.tags()] == ["latest", "latest"]
