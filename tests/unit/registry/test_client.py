"""A repository of a registry: what it answers is checked before it is believed."""

from __future__ import annotations

import json

import httpx2
import pytest

from baker.errors import NetworkError
from tests.unit.registry.standin import IMAGE, INDEX, descriptor, digest, manifest, registries

NAME = "registry.example.com/stt"
PORTAL = "<html><title>Welcome</title>Log in to the hotel's network.</html>"


def repository(answer):
    return registries(answer).repository(NAME)


def content(response):
    return lambda _: response


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(200, headers={"Content-Type": "text/html"}, text=PORTAL),
        httpx2.Response(200, headers={"Content-Type": IMAGE}, text=PORTAL),
        httpx2.Response(200, headers={"Content-Type": IMAGE}, content=b""),
        httpx2.Response(200, headers={"Content-Type": IMAGE}, content=b"\xff\xfe"),
        httpx2.Response(200, headers={"Content-Type": IMAGE}, json=[]),
        httpx2.Response(200, headers={"Content-Type": IMAGE}, json={}),
        httpx2.Response(200, headers={"Content-Type": IMAGE}, json={"config": descriptor(), "layers": {}}),
        httpx2.Response(200, headers={"Content-Type": IMAGE}, json={"config": descriptor(), "layers": ["x"]}),
        httpx2.Response(
            200, headers={"Content-Type": IMAGE}, json={"config": {"digest": "x", "size": 1}, "layers": []}
        ),
        httpx2.Response(200, headers={"Content-Type": INDEX}, json={"manifests": "x"}),
        httpx2.Response(200, headers={"Content-Type": INDEX}, json={"manifests": [{"digest": "../../x", "size": 1}]}),
        httpx2.Response(200, headers={"Content-Type": INDEX}, json={"manifests": [descriptor(platform="linux")]}),
        httpx2.Response(200, headers={"Content-Type": "application/json"}, json={"errors": []}),
    ],
)
def test_what_is_no_manifest_is_said_in_a_line(answer):
    with repository(content(answer)) as found, pytest.raises(NetworkError) as caught:
        found.find("latest")
    assert "registry.example.com" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_manifest_is_found_and_what_is_not_there_is_none():
    with repository(content(manifest())) as found:
        there = found.find("latest")
        assert there is not None
        assert there.digest == digest(there.content)
    with repository(content(httpx2.Response(404, json={}))) as found:
        assert found.find("latest") is None
        assert found.digest("latest") == ""
        assert found.tags() == ()


def test_other_bytes_than_the_digest_says():
    with repository(content(manifest())) as found:
        with pytest.raises(NetworkError, match="other bytes"):
            found.find(digest(b"x"))
        with pytest.raises(NetworkError, match="HTTP 200"):
            found.blob(digest(b"x"))


def test_the_image_of_an_index_and_its_config():
    config = json.dumps({"config": {"Labels": {}}}).encode()
    image = manifest(config, b"layer")
    inner = descriptor(image.content, platform={"os": "linux"})
    index = {"manifests": [descriptor(b"statement", platform={"os": "unknown"}), inner]}

    def answer(request):
        if request.url.path.endswith("latest"):
            return httpx2.Response(200, headers={"Content-Type": INDEX}, json=index)
        return httpx2.Response(200, content=config) if "/blobs/" in request.url.path else image

    with repository(answer) as found:
        top = found.find("latest")
        assert top is not None
        assert found.config(top) == json.loads(config)
        assert found.size(top) == len(config) + len(b"layer")


@pytest.mark.parametrize("config", [b"{", b"[]", b'{"config": 3}'])
def test_a_config_that_is_none(config):
    def answer(request):
        return httpx2.Response(200, content=config) if "/blobs/" in request.url.path else manifest(config)

    with repository(answer) as found:
        top = found.find("latest")
        assert top is not None
        with pytest.raises(NetworkError, match="no config of an image"):
            found.config(top)


def test_an_index_without_an_image():
    def answer(_):
        return httpx2.Response(200, headers={"Content-Type": INDEX}, json={"manifests": []})

    with repository(answer) as found:
        top = found.find("latest")
        assert top is not None
        with pytest.raises(NetworkError, match="not there"):
            found.image(top)


def test_a_tag_is_looked_up_without_counting_as_a_pull():
    def answer(request):
        assert request.method == "HEAD"
        return httpx2.Response(200, headers={"Docker-Content-Digest": digest(b"x")})

    with repository(answer) as found:
        assert found.digest("latest") == digest(b"x")
    with repository(content(httpx2.Response(200, text=PORTAL))) as found, pytest.raises(NetworkError, match="a digest"):
        found.digest("latest")


def test_tags_page_by_page_and_never_of_another_repository():
    pages = {
        "": (["b"], '</v2/stt/tags/list?n=1&last=b>; rel="next"'),
        "b": (["a"], '<https://other.example.net/v2/x/tags/list?n=1&last=a>; rel="next"'),
        "a": (["c"], ""),
    }

    def answer(request):
        assert (request.url.host, request.url.path) == ("registry.example.com", "/v2/stt/tags/list")
        tags, link = pages[request.url.params.get("last", "")]
        return httpx2.Response(200, json={"tags": tags}, headers={"Link": link} if link else {})

    with repository(answer) as found:
        assert found.tags() == ("a", "b", "c")


@pytest.mark.parametrize("tags", [{"a": 1}, "latest", 3])
def test_tags_that_are_no_list(tags):
    with repository(content(httpx2.Response(200, json={"tags": tags}))) as found, pytest.raises(NetworkError):
        found.tags()


def test_a_tag_that_a_registry_does_not_take():
    def answer(request):
        return manifest() if request.method == "GET" else httpx2.Response(404, json={})

    with repository(answer) as found:
        top = found.find("latest")
        assert top is not None
        with pytest.raises(NetworkError, match="does not take it"):
            found.tag(top, "next")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (httpx2.Response(403, json={"errors": [{"code": "DENIED", "message": "scopes"}]}), "the registry refuses"),
        # Amazon's makes no repository by itself.
        (httpx2.Response(404, json={"errors": [{"code": "NAME_UNKNOWN"}]}), "make the repository stt first"),
    ],
)
def test_an_upload_that_a_registry_would_not_take_is_known_before_it_begins(answer, says):
    with repository(lambda _: answer) as found, pytest.raises(NetworkError, match=says):
        found.check_upload()


def test_an_upload_that_was_begun_for_a_look_is_given_up():
    asked = []

    def answer(request):
        asked.append((request.method, request.url.path))
        begun = {"Location": "/v2/stt/blobs/uploads/1"}
        return httpx2.Response(202, headers=begun) if request.method == "POST" else httpx2.Response(204)

    with repository(answer) as found:
        found.check_upload()
    assert asked == [("POST", "/v2/stt/blobs/uploads/"), ("DELETE", "/v2/stt/blobs/uploads/1")]
