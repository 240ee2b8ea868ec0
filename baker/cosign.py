"""cosign: signatures and attestations, with a key of the user's or with an identity of CI (keyless)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baker import run
from baker.errors import CommandError, UsageError, VerifyError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from baker.settings import Publishing

HINT = "Debian 13: `sudo apt-get install cosign`; others: https://docs.sigstore.dev/cosign/system_config/installation/"


def require(settings: Publishing) -> None:
    """Raise EngineError when cosign is missing, UsageError when it is not said with what to sign."""
    run.find("cosign", HINT)
    if not settings.key and not settings.identity:
        raise UsageError(
            "images are signed when they are published: name a key in baker.toml, [publish] key and public-key "
            "(`cosign generate-key-pair` makes both), or for keyless signing, in CI, identity and issuer"
        )


def sign(image: str, settings: Publishing) -> None:
    """Sign an image by its digest."""
    _call(["sign", *_signing(settings), image], image)


def attest(image: str, kind: str, predicate: Path, settings: Publishing) -> None:
    """Sign a statement about an image, of a kind as in "cyclonedx", and leave it beside the image."""
    _call(["attest", f"--type={kind}", f"--predicate={predicate}", *_signing(settings), image], image)


def verify(image: str, settings: Publishing) -> None:
    """Raise VerifyError unless an image is signed with the key, or by the identity, of the settings."""
    _call(["verify", *_verifying(settings), image], image)


def verify_attestation(image: str, kind: str, settings: Publishing) -> None:
    """Raise VerifyError unless an image has a signed statement of a kind."""
    _call(["verify-attestation", f"--type={kind}", *_verifying(settings), image], image)


def _signing(settings: Publishing) -> list[str]:
    key = [f"--key={settings.key}"] if settings.key else []
    return ["--yes", *key, *([] if settings.transparency_log else ["--tlog-upload=false"])]


def _verifying(settings: Publishing) -> list[str]:
    if settings.key:
        who = [f"--key={settings.public_key}"]
    else:
        who = [f"--certificate-identity-regexp={settings.identity}", f"--certificate-oidc-issuer={settings.issuer}"]
    return [*who, *([] if settings.transparency_log else ["--insecure-ignore-tlog=true"])]


def _call(arguments: Sequence[str], image: str) -> None:
    try:
        run.capture(["cosign", *arguments])
    except CommandError as error:
        said = error.tail.strip().splitlines() or [str(error)]
        wanted = next((line for line in said if line.startswith("Error:")), said[-1])
        raise VerifyError(f"{image}: cosign {arguments[0]} failed: {wanted.removeprefix('Error: ')}") from error
