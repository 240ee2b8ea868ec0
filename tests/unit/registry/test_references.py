"""References of images: what they name, what is none, and how they are written."""

from __future__ import annotations

import pytest

from baker.errors import UsageError
from baker.registry.references import Reference
from baker.system import image_names

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest"),
    [
        ("debian", "docker.io", "library/debian", "", ""),
        ("docker.io/debian:13", "docker.io", "library/debian", "13", ""),
        ("index.docker.io/nvidia/cuda", "docker.io", "nvidia/cuda", "", ""),
        ("baker/stt:latest", "docker.io", "baker/stt", "latest", ""),
        ("ghcr.io/speech/a/b_c__d-e.f:0.6.4-cuda12.8", "ghcr.io", "speech/a/b_c__d-e.f", "0.6.4-cuda12.8", ""),
        (f"localhost/stt@{DIGEST}", "localhost", "stt", "", DIGEST),
        (f"127.0.0.1:5000/a/b:x@{DIGEST}", "127.0.0.1:5000", "a/b", "x", DIGEST),
        ("registry:5000/stt", "registry:5000", "stt", "", ""),
        ("[::1]:5000/stt:v_1", "[::1]:5000", "stt", "v_1", ""),
    ],
)
def test_what_a_reference_names(text, registry, repository, tag, digest):
    found = Reference.parse(text)
    assert found == Reference(registry=registry, repository=repository, tag=tag, digest=digest)
    assert Reference.parse(str(found)) == found
    assert found.pointer == (digest or tag or "latest")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no part of a name"),
        ("https://registry.example.com/stt", "'https:' is no HOST"),
        ("LA TEST!", "'LA TEST!'"),
        ("Baker/stt", "'Baker'"),
        ("ghcr.io/Speech/stt", "'Speech'"),
        ("ghcr.io/speech/stt:bad tag!", "'bad tag!' is no tag"),
        ("ghcr.io/speech/stt:.x", "no tag"),
        ("ghcr.io/speech/stt:" + "x" * 129, "no tag"),
        ("ghcr.io/speech/stt:", "'' is no tag"),
        ("ghcr.io/speech/stt:größe", "no tag"),
        ("ghcr.io/speech/stt@sha256:ab", "no digest"),
        ("ghcr.io/speech/stt@" + DIGEST.upper(), "no digest"),
        ("ghcr.io/" + "x/" * 130 + "y", "longer than 255"),
        ("ghcr.io/../stt", "'..'"),
        ("ghcr.io//stt", "'' is no part"),
        ("ghcr.io/stt\n", "is no part"),
        ("a..b/stt", "'a..b' is no HOST"),
        ("user:password@ghcr.io/stt", "no digest"),
    ],
)
def test_what_is_no_reference(text, why):
    with pytest.raises(UsageError) as caught:
        Reference.parse(text)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_tag_or_digest_of_the_same_repository():
    found = Reference.parse("ghcr.io/speech/stt:latest")
    assert str(found.at(DIGEST)) == f"ghcr.io/speech/stt@{DIGEST}"
    assert str(found.tagged("next")) == "ghcr.io/speech/stt:next"
    with pytest.raises(UsageError, match="no tag"):
        found.tagged("-next")


@pytest.mark.parametrize("host", ["localhost", "LocalHost:5000", "127.0.0.1", "127.8.9.10:80", "[::1]", "[::1]:5000"])
def test_what_is_this_machine(host):
    assert image_names.on_this_machine(host)


@pytest.mark.parametrize(
    "host",
    [
        "localhost.example.com",
        "127.example.com",
        "127.0.0.1.nip.io",
        "10.0.0.1",
        "[::2]",
        "0.0.0.0",  # noqa: S104
        "localhosts",
        "",
        "[",
    ],
)
def test_what_only_looks_like_it(host):
    assert not image_names.on_this_machine(host)


@pytest.mark.parametrize("name", ["stt", "docker.io/library/stt", "docker.io/me/speech/stt"])
def test_docker_hub_has_no_such_names_for_people(name):
    with pytest.raises(UsageError, match="ACCOUNT/IMAGE: pass --registry"):
        Reference.parse(name).require_writable()


@pytest.mark.parametrize("name", ["me/stt", "ghcr.io/me/speech/stt", "registry.example.com/stt"])
def test_names_that_people_may_write_to(name):
    Reference.parse(name).require_writable()
