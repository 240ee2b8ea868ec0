"""Tags of published images: moved by digest, only to what is signed, and never over what somebody else put there."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING

from baker.errors import UsageError, VerifyError
from baker.publish import provenance
from baker.registry.references import Reference

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from baker.publish.signing import Signer
    from baker.registry.client import Manifest, Registries, Repository

SBOM_KIND = "cyclonedx"
# What the former image of a tag is called: TAG-before-TIME.
FORMER = "-before-"
TIME = "%Y%m%dT%H%M%S%fZ"
DATED = re.compile(r"\d{8}T\d{12}Z", re.ASCII)
LONGEST_TAG = 128
LENGTH = len("20261125T120000000000Z")


def check(repository: Repository, manifest: Manifest, signer: Signer) -> bool:
    """Check an image from the registry's side: its signature, its signed bill of materials and its provenance.

    Returns:
        Whether it has a provenance, which is right then: old builders make none.

    Raises:
        VerifyError: something is not signed, or the provenance is about another image.
    """
    reference = f"{repository.name}@{manifest.digest}"
    signer.verify(reference)
    signer.verify_attestation(reference, SBOM_KIND)
    return provenance.find(repository, manifest) is not None


def promote(source: str, target: str, signer: Signer, registries: Registries, now: datetime) -> str:
    """Let a tag point to an image of the same repository which is signed and has a provenance. Return its digest.

    Args:
        source: REPOSITORY:TAG or REPOSITORY@DIGEST.
        target: REPOSITORY:TAG.
        signer: checks who has signed it.
        registries: how registries are reached.
        now: the time that the former image of the tag gets.

    Raises:
        UsageError: there is no such image, or the two are not of one repository.
        VerifyError: it is not signed, has no provenance or that of another image, or the tag was moved meanwhile.
    """
    image, aim = _pointing(source), _movable(target)
    if image.name != aim.name:
        raise UsageError(f"{source} and {target} are two repositories; a tag is moved within one")
    with registries.repository(image) as repository:
        manifest = repository.find(image.pointer)
        if manifest is None:
            raise UsageError(f"{source}: there is no such image in the registry")
        before = repository.find(aim.tag)
        if not check(repository, manifest, signer):
            raise VerifyError(f"{source} has no provenance, so that nobody can say how it was made: publish it again")
        move(repository, aim.tag, manifest, before.digest if before else "", now)
        return manifest.digest


def rollback(target: str, signer: Signer, registries: Registries, now: datetime) -> str:
    """Let a tag point to what it pointed to before it was moved last. Return that digest."""
    aim = _movable(target)
    with registries.repository(aim) as repository:
        former = dated(repository.tags(), aim.tag)
    if not former:
        raise UsageError(f"{target} has never been moved: the registry has no tag {aim.tag}{FORMER}TIME")
    return promote(str(aim.tagged(former[-1])), target, signer, registries, now)


def dated(tags: Sequence[str], tag: str) -> list[str]:
    """Return the tags under which move() left former images of a tag, oldest first; what a person called so is none."""
    start = f"{tag}{FORMER}"
    return sorted(found for found in tags if found.startswith(start) and DATED.fullmatch(found[len(start) :]))


def unmoved(repository: Repository, tag: str, manifest: Manifest, before: str) -> Manifest | None:
    """Return what a tag points to: what it did when it was looked at, or already the image that it shall have.

    Raises:
        VerifyError: somebody else has moved it since.
    """
    former = repository.find(tag)
    found = former.digest if former else ""
    if found not in (before, manifest.digest):
        raise VerifyError(
            f"{repository.name}:{tag} was moved by someone else, from {before or 'nothing'} to {found or 'nothing'}; "
            "it stays so. Look at it, and run the same command again to move it all the same"
        )
    return former


def move(repository: Repository, tag: str, manifest: Manifest, before: str, now: datetime) -> None:
    """Let a tag point to an image, unless it was moved since it was looked at. Its former image gets a dated tag.

    Args:
        repository: where both are.
        tag: the tag.
        manifest: the image.
        before: the digest that the tag had when it was looked at; empty for none.
        now: the time that the former image of the tag gets.
    """
    former = unmoved(repository, tag, manifest, before)
    if former and former.digest == manifest.digest:
        return
    if former:
        repository.tag(former, f"{tag}{FORMER}{now.astimezone(UTC):{TIME}}")
    repository.tag(manifest, tag)
    last = repository.find(tag)
    if last is None or last.digest != manifest.digest:
        raise VerifyError(f"{repository.name}:{tag} was moved by someone else at the same moment; look at it")


def _movable(text: str) -> Reference:
    """Return a reference that names a tag, whose former image's tag is one too."""
    found = Reference.parse(text)
    if found.digest or not found.tag:
        raise UsageError(f"{text}: name a tag, as in registry.example.com/speech/stt:latest")
    if len(found.tag) + len(FORMER) + LENGTH > LONGEST_TAG:
        raise UsageError(
            f"{text}: the tag is too long to be moved: its former image gets a dated one of 128 characters"
        )
    return found


def _pointing(text: str) -> Reference:
    """Return a reference that names a tag or a digest."""
    found = Reference.parse(text)
    if not found.digest and not found.tag:
        raise UsageError(f"{text}: name a tag or a digest, as in registry.example.com/speech/stt:latest")
    return found
