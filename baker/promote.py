"""Tags of published images: moved by digest, only to what is signed, and never over what somebody else put there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from baker import cosign, provenance
from baker.errors import UsageError, VerifyError
from baker.registry import Repository

if TYPE_CHECKING:
    from baker.registry import Manifest
    from baker.settings import Publishing

SBOM_KIND = "cyclonedx"
FORMER = "-before-"


def check(repository: Repository, manifest: Manifest, settings: Publishing) -> bool:
    """Check an image from the registry's side: its signature, its signed bill of materials and its provenance.

    Returns:
        Whether it has a provenance, which is right then: old builders make none.

    Raises:
        VerifyError: something is not signed, or the provenance is about another image.
    """
    reference = f"{repository.name}@{manifest.digest}"
    cosign.verify(reference, settings)
    cosign.verify_attestation(reference, SBOM_KIND, settings)
    return provenance.find(repository, manifest) is not None


def promote(source: str, target: str, settings: Publishing) -> str:
    """Let a tag point to an image of the same repository which is signed and has a provenance. Return its digest.

    Args:
        source: REPOSITORY:TAG or REPOSITORY@DIGEST.
        target: REPOSITORY:TAG.
        settings: the key or the identity that must have signed it.

    Raises:
        UsageError: there is no such image, or the two are not of one repository.
        VerifyError: it is not signed, has no provenance or that of another image, or the tag was moved meanwhile.
    """
    name, reference = split(source)
    repository, tag = split(target)
    if name != repository:
        raise UsageError(f"{source} and {target} are two repositories; a tag is moved within one")
    with Repository(name) as there:
        manifest = there.find(reference)
        if manifest is None:
            raise UsageError(f"{source}: there is no such image in the registry")
        before = there.find(tag)
        if not check(there, manifest, settings):
            raise VerifyError(f"{source} has no provenance, so that nobody can say how it was made: publish it again")
        move(there, tag, manifest, before.digest if before else "")
        return manifest.digest


def rollback(target: str, settings: Publishing) -> str:
    """Let a tag point to what it pointed to before it was moved last. Return that digest."""
    name, tag = split(target)
    with Repository(name) as repository:
        former = [found for found in repository.tags() if found.startswith(f"{tag}{FORMER}")]
    if not former:
        raise UsageError(f"{target} has never been moved: the registry has no tag {tag}{FORMER}…")
    return promote(f"{name}:{former[-1]}", target, settings)


def move(repository: Repository, tag: str, manifest: Manifest, before: str) -> None:
    """Let a tag point to an image, unless it was moved since it was looked at. Its former image gets a dated tag.

    Args:
        repository: where both are.
        tag: the tag.
        manifest: the image.
        before: the digest that the tag had when it was looked at; empty for none.
    """
    now = repository.find(tag)
    if now and now.digest == manifest.digest:
        return
    found = now.digest if now else ""
    if found != before:
        raise VerifyError(
            f"{repository.name}:{tag} was moved by someone else, from {before or 'nothing'} to {found or 'nothing'}; "
            "it stays so. Look at it, and run the same command again to move it all the same"
        )
    if now:
        repository.tag(now, f"{tag}{FORMER}{datetime.now(tz=UTC):%Y%m%dT%H%M%S%fZ}")
    repository.tag(manifest, tag)
    last = repository.find(tag)
    if last is None or last.digest != manifest.digest:
        raise VerifyError(f"{repository.name}:{tag} was moved by someone else at the same moment; look at it")


def split(reference: str) -> tuple[str, str]:
    """Return the repository, and the tag or the digest, of a reference that names both."""
    name, at, digest = reference.partition("@")
    if at:
        return name, digest
    name, colon, tag = reference.rpartition(":")
    if not colon or "/" in tag:
        raise UsageError(f"{reference}: name a tag or a digest, as in registry.example.com/speech/stt:latest")
    return name, tag
