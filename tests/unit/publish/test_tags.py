"""Tags of published images: what may be moved, what was moved, and what a person named so."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx2
import pytest

from baker.errors import NetworkError, UsageError, VerifyError
from baker.publish import provenance, tags
from baker.publish.signing import Signer
from tests.unit.registry.standin import IMAGE, digest, manifest, registries

HOME = "registry.example.com/stt"
DATE = "20261125T101112123456Z"

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


class Believer(Signer):
    """One who finds a signature on everything, and remembers what was looked at."""

    seen: list[str]

    def __init__(self):
        object.__setattr__(self, "seen", [])

    def verify(self, image):
        self.seen.append(image)

    def verify_attestation(self, image, kind):
        assert kind == tags.SBOM_KIND
        self.seen.append(image)


class Registry:
    """A registry of one repository; `content` is by tag."""

    def __init__(self, **content):
        self.content = {tag.replace("_", "-"): text for tag, text in content.items()}
        self.written = []

    def __call__(self, request):
        name = request.url.path.rpartition("/")[2]
        if name == "list":
            return httpx2.Response(200, json={"tags": list(self.content)})
        if request.method == "PUT":
            self.content[name] = request.content
            self.written.append(name)
            return httpx2.Response(201)
        found = {digest(content): content for content in self.content.values()} | self.content
        if name not in found:
            return httpx2.Response(404)
        return httpx2.Response(200, headers={"Content-Type": IMAGE}, content=found[name])

    @property
    def open(self):
        return registries(self).repository(HOME)


OLD, NEW, OTHER = (manifest(name.encode()).content for name in ("old", "new", "other"))


@pytest.mark.parametrize(
    ("source", "target", "says"),
    [
        (f"{HOME}:a", f"{HOME}:bad tag!", "'bad tag!' is no tag"),
        (f"{HOME}:a", f"{HOME}@{digest(OLD)}", "name a tag"),
        (f"{HOME}:a", f"{HOME}:x@{digest(OLD)}", "name a tag"),
        (f"{HOME}:a", HOME, "name a tag"),
        (f"{HOME}:a", f"{HOME}:{'x' * 100}", "too long to be moved"),
        (HOME, f"{HOME}:latest", "name a tag or a digest"),
        (f"{HOME}@sha256:12", f"{HOME}:latest", "is no digest"),
        (f"https://{HOME}:a", f"{HOME}:latest", "no image reference"),
        (f"{HOME}:a", "registry.example.com/tts:latest", "two repositories"),
        (f"{HOME}:a", f"{HOME}:latest", "no such image"),
    ],
)
def test_what_cannot_be_promoted_is_said_before_anything_moves(source, target, says):
    registry = Registry(latest=OLD)
    with pytest.raises(UsageError, match=says):
        tags.promote(source, target, Believer(), registries(registry), NOW)
    assert registry.written == []


def test_a_move_leaves_the_former_image_under_a_dated_tag():
    registry = Registry(latest=OLD, next=NEW)
    with registry.open as repository:
        found = repository.find("next")
        assert found is not None
        tags.move(repository, "latest", found, digest(OLD), NOW)
        former, moved = registry.written
        assert moved == "latest"
        assert tags.dated(repository.tags(), "latest") == [former]
        assert registry.content[former] == OLD
        # Once more changes nothing.
        tags.move(repository, "latest", found, digest(OLD), NOW)
        assert len(registry.written) == 2


@pytest.mark.parametrize("before", ["", digest(OTHER)])
def test_what_somebody_else_moved_stays(before):
    registry = Registry(latest=OLD, next=NEW)
    with registry.open as repository:
        found = repository.find("next")
        assert found is not None
        with pytest.raises(VerifyError, match="moved by someone else"):
            tags.move(repository, "latest", found, before, NOW)
    assert registry.written == []


def test_only_a_date_makes_a_former_image():
    found = [
        "latest-before-upgrade",
        "latest-before-20261125",
        f"latest-before-{DATE}-mine",
        "latest-before-99999999T999999999999z",
        f"latest-before-{DATE}",
        "latest-before-20251125T101112123456Z",
        f"other-before-{DATE}",
        f"my-latest-before-{DATE}",
    ]
    assert tags.dated(found, "latest") == ["latest-before-20251125T101112123456Z", f"latest-before-{DATE}"]


def test_rollback_takes_the_last_dated_one(monkeypatch):
    content = {f"latest-before-{DATE}": OLD, "latest-before-20251125T101112123456Z": OTHER}
    registry = Registry(latest=NEW)
    registry.content |= content | {"latest-before-upgrade": OTHER}
    monkeypatch.setattr(provenance, "find", lambda *_: {})
    signer = Believer()
    assert tags.rollback(f"{HOME}:latest", signer, registries(registry), NOW) == digest(OLD)
    assert registry.content["latest"] == OLD
    assert signer.seen == [f"{HOME}@{digest(OLD)}"] * 2


def test_what_was_never_moved_does_not_go_back():
    registry = Registry(latest=NEW)
    registry.content["latest-before-upgrade"] = OLD
    with pytest.raises(UsageError, match="never been moved"):
        tags.rollback(f"{HOME}:latest", Believer(), registries(registry), NOW)
    with pytest.raises(UsageError, match="name a tag"):
        tags.rollback(f"{HOME}@{digest(OLD)}", Believer(), registries(registry), NOW)


def test_no_provenance_is_not_promoted():
    registry = Registry(latest=OLD, next=NEW)
    with pytest.raises(VerifyError, match="no provenance"):
        tags.promote(f"{HOME}:next", f"{HOME}:latest", Believer(), registries(registry), NOW)
    assert registry.written == []


def test_a_captive_portal_moves_nothing():
    def portal(_):
        return httpx2.Response(200, html="<html>Log in to the hotel's network.</html>")

    for call in (
        lambda: tags.promote(f"{HOME}:next", f"{HOME}:latest", Believer(), registries(portal), NOW),
        lambda: tags.rollback(f"{HOME}:latest", Believer(), registries(portal), NOW),
    ):
        with pytest.raises(NetworkError, match="login page"):
            call()
