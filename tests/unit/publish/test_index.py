"""An index: images of several platforms, with what is attached to each, under one digest."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from baker.errors import NetworkError
from baker.publish import index, provenance
from baker.registry.manifest import INDEXES, Manifest, digest

IMAGE = "application/vnd.oci.image.manifest.v1+json"
PLATFORMS = ("linux/amd64", "linux/arm64")


class Repository:
    """A repository in memory."""

    name = "registry.example.com/speech/stt"

    def __init__(self):
        self.content = {}
        self.blobs = {}

    def put(self, content, media_type, pointer):
        assert pointer == digest(content)
        self.content[pointer] = Manifest(digest=pointer, media_type=media_type, content=content)

    def find(self, pointer):
        return self.content.get(pointer)

    def blob(self, pointer):
        return self.blobs[pointer]

    def add(self, value, media_type=IMAGE):
        content = json.dumps(value).encode()
        self.put(content, media_type, digest(content))
        return self.content[digest(content)]

    def pushed(self, platform, *, stated=True):
        """Add an image with its provenance, as BuildKit writes it, and return its index."""
        system, _, architecture = platform.partition("/")
        image = self.add({"config": {}, "layers": [], "for": platform})
        entries = [described(image, {"os": system, "architecture": architecture})]
        if stated:
            statement = json.dumps({"subject": [{"digest": {"sha256": image.digest[7:]}}], "of": platform}).encode()
            self.blobs[digest(statement)] = statement
            layer = {"digest": digest(statement), "annotations": {provenance.PREDICATE: f"{provenance.SLSA}v0.2"}}
            attached = self.add({"layers": [layer]})
            notes = {provenance.KIND: "attestation-manifest", provenance.ABOUT: image.digest}
            unknown = {"os": "unknown", "architecture": "unknown"}
            entries.append({**described(attached, unknown), "annotations": notes})
        return self.add({"manifests": entries}, INDEXES[0])


@pytest.fixture
def repository():
    return Repository()


def described(manifest, platform):
    size = len(manifest.content)
    return {"mediaType": manifest.media_type, "digest": manifest.digest, "size": size, "platform": platform}


def joined(repository, manifests, platforms=PLATFORMS):
    receipts: list[Any] = [SimpleNamespace(platform=name) for name in platforms]
    return index.joined(repository, manifests, receipts)


def test_one_platform_stays_what_was_pushed(repository):
    pushed = repository.pushed("linux/arm64")
    assert joined(repository, [pushed], ["linux/arm64"]) is pushed


def test_an_index_has_each_image_and_its_provenance(repository):
    found = joined(repository, [repository.pushed(name) for name in PLATFORMS])
    assert found.media_type == INDEXES[0]
    assert {name: image.json["for"] for name, image in index.images(repository, found).items()} == dict(
        zip(PLATFORMS, PLATFORMS, strict=True)
    )
    assert len(found.json["manifests"]) == 4
    statement = provenance.find(repository, found)
    assert statement is not None
    assert statement["of"] == "linux/amd64"
    again = joined(repository, [repository.pushed(name) for name in PLATFORMS])
    assert again.digest == found.digest


def test_an_image_without_provenance_in_an_index_is_no_provenance(repository):
    pushed = [repository.pushed("linux/amd64"), repository.pushed("linux/arm64", stated=False)]
    assert provenance.find(repository, joined(repository, pushed)) is None


def test_images_of_builders_that_make_no_index(repository):
    plain = [repository.add({"config": {}, "layers": [], "for": name}) for name in PLATFORMS]
    found = joined(repository, plain)
    assert list(index.images(repository, found)) == list(PLATFORMS)
    assert index.images(repository, plain[0]) == {"": plain[0]}


def test_an_index_that_names_what_is_not_there(repository):
    found = joined(repository, [repository.pushed(name) for name in PLATFORMS])
    del repository.content[found.json["manifests"][2]["digest"]]
    with pytest.raises(NetworkError, match="names an image that is not there"):
        index.images(repository, found)
