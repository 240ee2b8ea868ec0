"""Pushing with skopeo to a real registry behind a proxy that fails, and that has the rules of well-known registries."""

from __future__ import annotations

import hashlib
import os
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from baker.errors import EngineError, NetworkError, UsageError, VerifyError
from baker.publish import tags
from baker.publish.pushing import Pusher
from baker.registry.client import Registries
from tests.docker import credentials, flaky, layouts, rules
from tests.docker.publishing import anonymous
from tests.docker.rules import AMAZON, AZURE, GITHUB, Rules

LAYER = (9 << 20) + 17
# Of its tokens, that live shorter than an upload takes here.
DOCKER_HUB = replace(rules.DOCKER_HUB, seconds=1)

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


pytestmark = pytest.mark.usefixtures("with_skopeo")


@pytest.fixture
def proxy(registry):
    with flaky.before(registry) as found:
        yield found


@pytest.fixture
def repository(proxy):
    with anonymous().repository(fresh(proxy)) as found:
        yield found


@pytest.fixture
def layout(tmp_path):
    return layouts.write(tmp_path / "image.oci", os.urandom(LAYER))


def fresh(proxy):
    return f"{proxy.address}/baker-test/{uuid.uuid4().hex[:8]}"


def pushed(repository, folder, near=()):
    return Pusher(os.environ, print, wait=lambda _: None).push(repository, folder, near)


def whole(repository, manifest):
    """Whether a registry has the bytes of a layer as they were written."""
    (layer,) = repository.image(manifest)["layers"]
    return len(repository.blob(layer["digest"])) == layer["size"] > LAYER


@pytest.mark.parametrize(
    "faults",
    [
        [],
        [("HEAD", 503), ("POST", 503), ("PATCH", 502), ("PUT", 504)],
        [("HEAD", 429), ("POST", 429), ("PATCH", 429), ("PUT", 429)],
        [("PATCH", "cut before"), ("PATCH", "cut after"), ("PUT", "cut before")],
        [("POST", "cut before"), ("PATCH", "slow"), ("PUT", "cut after")],
    ],
    ids=["none", "5xx", "429", "cut", "cut and slow"],
)
def test_a_push_comes_through(proxy, repository, layout, faults):
    proxy.faults = list(faults)
    found = pushed(repository, layout)
    assert proxy.faults == []
    assert whole(repository, found.manifest)
    assert len(found.manifest.json["manifests"]) == 2
    # By its digest alone.
    assert repository.tags() == ()


def test_what_is_said_to_be_sent_is_what_was_sent(proxy, repository, layout):
    first = pushed(repository, layout)
    assert first.sent == proxy.received
    proxy.received = 0
    assert pushed(repository, layout).sent == proxy.received == 0
    again = pushed(repository, layouts.write(layout.with_name("again.oci"), (layout / "index.json").read_bytes()))
    assert again.sent == proxy.received > 0


def test_a_neighbour_lends_its_layers(proxy, repository, layout):
    pushed(repository, layout)
    proxy.received = 0
    with repository.beside(f"{repository.name}-beside") as beside:
        found = pushed(beside, layout, [repository.name])
    # The manifests alone.
    assert found.sent == proxy.received < 2000


def test_a_folder_with_odd_characters(repository, tmp_path):
    folder = layouts.write(tmp_path / "a:b c@d" / "image.oci", os.urandom(99))
    assert pushed(repository, folder).manifest


def test_a_registry_that_stays_broken_leaves_nothing_and_the_next_push_goes_on(proxy, repository, layout):
    proxy.always = {"PUT": 500}
    with pytest.raises(NetworkError, match="run the same command again"):
        pushed(repository, layout)
    assert repository.tags() == ()
    proxy.always = {}
    assert whole(repository, pushed(repository, layout).manifest)


@pytest.mark.parametrize(("status", "says"), [(401, "docker login"), (403, "docker login"), (507, "507")])
def test_what_a_registry_refuses_is_said_in_a_line(proxy, repository, layout, status, says):
    proxy.always = {"POST": status}
    with pytest.raises(NetworkError, match=says) as caught:
        pushed(repository, layout)
    assert "\n" not in str(caught.value)


def test_skopeo_is_missing():
    with pytest.raises(EngineError, match="skopeo is not installed: `make setup`"):
        Pusher({"PATH": "/nowhere"}, print).require()


def test_a_tag_that_somebody_else_moved_stays(repository, layout, tmp_path):
    ours = pushed(repository, layout).manifest
    theirs = pushed(repository, layouts.write(tmp_path / "theirs.oci", b"theirs and more")).manifest
    tags.move(repository, "latest", theirs, "", NOW)
    with pytest.raises(VerifyError, match="moved by someone else"):
        tags.move(repository, "latest", ours, "", NOW)
    assert repository.digest("latest") == theirs.digest
    tags.move(repository, "latest", ours, theirs.digest, NOW)
    assert [tag.partition("-before-")[0] for tag in repository.tags()] == ["latest", "latest"]


@pytest.fixture
def helper(tmp_path, monkeypatch):
    """Write docker's config.json, with the login of a registry behind a credential helper."""

    def write_helper(proxy, key="credHelpers", user=rules.USER, secret=rules.PASSWORD):
        folder = credentials.helped(tmp_path / "docker", proxy.address, key, user, secret)
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
        return Registries.of({**os.environ, "DOCKER_CONFIG": str(folder)})

    return write_helper


@pytest.mark.parametrize("wanted", [GITHUB, DOCKER_HUB, AMAZON], ids=["github", "docker hub", "amazon"])
@pytest.mark.parametrize("key", ["credHelpers", "credsStore"])
def test_rules_of_registries_with_a_login_behind_a_helper(registry, layout, helper, wanted, key):
    path = f"baker-test/{uuid.uuid4().hex[:8]}"
    with flaky.before(registry, replace(wanted, made=(path,)) if wanted is AMAZON else wanted) as proxy:
        registries = helper(proxy, key)
        with registries.repository(f"{proxy.address}/{path}") as repository:
            if wanted is DOCKER_HUB:
                # An upload takes longer than a token of its stand-in lives.
                proxy.faults = [("PATCH", "slow")] * 3
            found = pushed(repository, layout)
            assert whole(repository, found.manifest)
            tags.move(repository, "latest", found.manifest, "", NOW)
            assert repository.tags() == ("latest",)
            with anonymous(tries=1).repository(repository.name) as nobody, pytest.raises(NetworkError, match="login"):
                nobody.find("latest")
        # Where tokens and blobs are on another host, no login went along.
        assert not any(proxy.gate.strange)
        if wanted.login == "bearer":
            assert {how.partition(" ")[0] for how in proxy.gate.asked} >= {"password"}


def test_who_is_asked_to_wait_waits(registry, layout, helper):
    with flaky.before(registry, rules.DOCKER_HUB) as proxy, helper(proxy).repository(fresh(proxy)) as repository:
        proxy.faults = [(method, 429) for method in ("HEAD", "POST", "PATCH", "PUT", "GET")]
        assert whole(repository, pushed(repository, layout).manifest)
        assert proxy.faults == []
        # skopeo does not say for how long: our client asks for that, once.
        assert proxy.gate.impatient <= 1


@pytest.mark.parametrize(
    ("wanted", "path", "says"),
    [
        (replace(GITHUB, may=("pull",)), "baker-test/stt", "docker login"),
        (rules.DOCKER_HUB, "library/stt", "docker login"),
        (rules.DOCKER_HUB, "baker-test/speech/stt", "docker login"),
        (AMAZON, "baker-test/stt", "make the repository baker-test/stt first"),
    ],
    ids=["a token that may only read", "Docker's own names", "three parts", "nobody made it"],
)
def test_where_a_login_may_not_push(registry, layout, helper, wanted, path, says):
    with (
        flaky.before(registry, wanted) as proxy,
        helper(proxy).repository(f"{proxy.address}/{path}") as repository,
        pytest.raises(NetworkError, match=says) as caught,
    ):
        pushed(repository, layout)
    assert "\n" not in str(caught.value)


def test_amazons_stand_in_drops_what_it_is_said_to_drop(registry):
    """A push that sent its layer in two chunks would lose the second one, and be told of success."""
    content = os.urandom(200)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    with flaky.before(registry, Rules(first_chunk_only=True)) as proxy, httpx2.Client() as client:
        url = f"http://{fresh(proxy)}".replace(proxy.address, f"{proxy.address}/v2")
        where = client.post(f"{url}/blobs/uploads/").headers["Location"]
        for chunk in (content[:100], content[100:]):
            sent = client.patch(where, content=chunk)
            assert sent.status_code == 202
            where = sent.headers["Location"]
        assert client.put(where, params={**dict(parse_qsl(urlsplit(where).query)), "digest": digest}).status_code == 201
        assert client.head(f"{url}/blobs/{digest}").status_code == 404


def test_githubs_stand_in_refuses_large_chunks(registry):
    with flaky.before(registry, Rules(chunk=GITHUB.chunk)) as proxy, httpx2.Client() as client:
        where = client.post(f"http://{proxy.address}/v2/baker-test/chunks/blobs/uploads/").headers["Location"]
        for size, status in ((GITHUB.chunk + 1, 416), (GITHUB.chunk, 202)):
            sent = client.patch(where, content=bytes(size), headers={"Content-Range": f"0-{size - 1}"})
            assert sent.status_code == status


def test_names_are_lower_case(registry):
    with flaky.before(registry) as proxy:
        assert httpx2.get(f"http://{proxy.address}/v2/Me/stt/tags/list").json()["errors"][0]["code"] == "NAME_INVALID"
        with pytest.raises(UsageError, match="lower-case"):
            anonymous().repository(f"{proxy.address}/Me/stt")


@pytest.mark.parametrize("login", ["basic", "bearer"])
def test_no_login_goes_to_another_host_that_takes_uploads(registry, layout, helper, login):
    with flaky.before(registry, Rules(login=login, uploads_elsewhere=True)) as proxy:
        there = helper(proxy, "credHelpers").repository(fresh(proxy))
        with there, pytest.raises(NetworkError, match=f"sends uploads to http://{proxy.other}"):
            pushed(there, layout)
        assert not any(proxy.gate.strange)


def test_uploads_to_another_host_without_a_login(registry, layout):
    with flaky.before(registry, Rules(uploads_elsewhere=True)) as proxy, anonymous().repository(fresh(proxy)) as found:
        assert whole(found, pushed(found, layout).manifest)
        assert set(proxy.gate.strange) == {""}


def test_an_identity_token_is_exchanged(registry, layout, helper):
    with flaky.before(registry, AZURE) as proxy:
        registries = helper(proxy, "credsStore", "<token>", rules.IDENTITY)
        with registries.repository(fresh(proxy)) as repository:
            assert whole(repository, pushed(repository, layout).manifest)
        assert {how.partition(" ")[0] for how in proxy.gate.asked} == {"identity"}


def test_a_wrong_password_is_said_in_a_line(registry, layout, helper):
    with flaky.before(registry, AZURE) as proxy:
        registries = helper(proxy, "credHelpers", rules.USER, "wrong")
        with registries.repository(fresh(proxy)) as repository:
            with pytest.raises(NetworkError, match=f"`docker login {proxy.address}`"):
                repository.find("latest")
            with pytest.raises(NetworkError, match=f"`docker login {proxy.address}`"):
                pushed(repository, layout)
