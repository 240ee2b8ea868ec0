"""Which base a build takes, and why."""

from __future__ import annotations

import httpx2
import pytest

from baker.build import base as bases
from baker.config.pins import NvidiaPin
from tests.unit.registry.standin import registries

DIGEST = "sha256:" + "ab" * 32
PINNED = NvidiaPin(cuda="12.8", devel=f"nvidia/cuda:12.8.1-devel@{DIGEST}", runtime=f"nvidia/cuda:12.8.1-base@{DIGEST}")


@pytest.mark.parametrize(
    ("wanted", "trouble", "base", "why"),
    [
        ("auto", "", "nvidia", "docker.io has its images"),
        ("auto", "it is away", "debian", "base debian, since it is away"),
        ("nvidia", "", "nvidia", "as asked"),
        ("nvidia", "it is away", "nvidia", "as asked; note: it is away"),
        ("debian", "", "debian", "as asked"),
    ],
)
def test_which_base(wanted, trouble, base, why):
    found, said = bases.choose(wanted, "", PINNED, lambda _: trouble)
    assert found == base
    assert why in said


def test_who_wants_debian_asks_nobody():
    def ask(_):
        raise AssertionError

    assert bases.choose("debian", "", PINNED, ask)[0] == "debian"


def test_the_pinned_images_are_asked_for_at_the_mirror():
    asked = []

    def answer(request):
        asked.append((request.method, str(request.url)))
        return httpx2.Response(200, headers={"Docker-Content-Digest": DIGEST})

    def look(images):
        return bases.look(images, registries(answer))

    assert bases.choose("auto", "mirror.example.com/hub", PINNED, look)[0] == "nvidia"
    url = f"https://mirror.example.com/v2/hub/nvidia/cuda/manifests/{DIGEST}"
    assert asked == [("HEAD", url), ("HEAD", url)]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (httpx2.Response(404), "does not have docker.io/nvidia/cuda:12.8.1-devel"),
        (httpx2.Response(404), "baker lock --upgrade nvidia"),
        (httpx2.Response(429, headers={"Retry-After": "3600"}), "HTTP 429"),
        (httpx2.Response(401, headers={"WWW-Authenticate": 'Basic realm="mirror"'}), "docker login"),
        (httpx2.Response(503), "HTTP 503"),
        (httpx2.Response(200, text="<html>log in to the hotel's network</html>"), "without a digest"),
    ],
)
def test_a_registry_that_has_no_such_image_or_refuses_means_the_other_base(answer, says):
    base, why = bases.choose("auto", "", PINNED, lambda images: bases.look(images, registries(lambda _: answer)))
    assert base == "debian"
    assert says in why
    assert "\n" not in why
