"""cosign: signatures and attestations, with a key of the user's or with an identity of CI (keyless).

cosign 2 and cosign 3 are both out there, and differ in how they are told to write nothing to the public log.
"""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from baker.errors import CommandError, NetworkError, UsageError, VerifyError
from baker.registry import programs
from baker.registry.references import Reference
from baker.system import process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from baker.config.settings import Publishing
    from baker.registry.client import Registries

# Where cosign 3 takes the services from that it talks to; one without any is what its own documentation names.
SIGNING_CONFIG = "--signing-config"
EMPTY_CONFIG = tuple(f"--no-default-{service}" for service in ("fulcio", "oidc", "rekor", "tsa"))

# What is no matter of signatures: the words of Go's network and of go-containerregistry's errors.
AWAY = re.compile(
    r"dial tcp|connection re(?:fused|set)|\bEOF\b|i/o timeout|no such host|tls: failed to verify"
    r"|UNAUTHORIZED|DENIED|TOOMANYREQUESTS|unexpected status code (?:401|403|429|5\d\d)"
)


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Signs and checks as the settings say. `environment` is the one that cosign runs in."""

    settings: Publishing
    registries: Registries
    environment: Mapping[str, str] = field(repr=False)

    def require(self) -> None:
        """Raise EngineError when cosign is missing, UsageError when it is not said with what to sign."""
        process.find("cosign", programs.COSIGN, env=self.environment)
        if not self.settings.key and not self.settings.identity:
            raise UsageError(
                "images are signed when they are published: name a key in baker.toml, [publish] key and public-key "
                "(`cosign generate-key-pair` makes both), or for keyless signing, in CI, identity and issuer"
            )

    def sign(self, image: str) -> None:
        """Sign an image by its digest."""
        with self._signing() as how:
            self._call(["sign", *how, image], image)

    def attest(self, image: str, kind: str, predicate: Path) -> None:
        """Sign a statement about an image, of a kind as in "cyclonedx", and leave it beside the image."""
        with self._signing() as how:
            self._call(["attest", f"--type={kind}", f"--predicate={predicate}", *how, image], image)

    def verify(self, image: str) -> None:
        """Raise VerifyError unless an image is signed with the key, or by the identity, of the settings."""
        self._call(["verify", *verifying(self.settings), image], image)

    def verify_attestation(self, image: str, kind: str) -> None:
        """Raise VerifyError unless an image has a signed statement of a kind."""
        self._call(["verify-attestation", f"--type={kind}", *verifying(self.settings), image], image)

    @contextmanager
    def _signing(self) -> Iterator[list[str]]:
        if self.settings.transparency_log or not self._wants_config():
            yield signing(self.settings, None)
            return
        with tempfile.TemporaryDirectory(prefix="baker-cosign-") as folder:
            path = Path(folder, "signing-config.json")
            _run(["signing-config", "create", *EMPTY_CONFIG, f"--out={path}"], "the signing config", self.environment)
            yield signing(self.settings, path)

    def _wants_config(self) -> bool:
        """Whether this is cosign 3. Its help says so; Debian's builds have no version in them."""
        return SIGNING_CONFIG in process.capture(["cosign", "sign", "--help"], env=self.environment)

    def _call(self, arguments: Sequence[str], image: str) -> None:
        """Run cosign with the login and the certificates of an image's registry, as our client and skopeo have them."""
        registry = Reference.parse(image).registry
        pair = [
            option
            for certificate, key in self.registries.certificates.pairs(registry)[:1]
            for option in (f"--registry-client-cert={certificate}", f"--registry-client-key={key}")
        ]
        with self.registries.logins.written(registry) as login, self._trusting(registry) as trust:
            environment = {**self.environment, **trust, "DOCKER_CONFIG": str(login.parent)}
            _run([arguments[0], *pair, *arguments[1:]], image, environment)

    @contextmanager
    def _trusting(self, registry: str) -> Iterator[dict[str, str]]:
        """Yield the variables for a registry with authorities of its own: cosign reads no certs.d.

        Its option for that is newer (2.4.2). What Go's programs take from SSL_CERT_FILE is in place of the system's
        bundle, so that is in the file too.
        """
        bundle = self.registries.certificates.bundle(registry)
        if not bundle:
            yield {}
            return
        with tempfile.TemporaryDirectory(prefix="baker-cosign-") as folder:
            path = Path(folder, "authorities.pem")
            path.write_text(bundle, encoding="ascii")
            yield {"SSL_CERT_FILE": str(path)}


def _run(arguments: Sequence[str], what: str, environment: Mapping[str, str]) -> None:
    """Run cosign; its last words are the message.

    Raises:
        NetworkError: a registry or a service cannot be reached, or refuses.
        VerifyError: anything else, as a signature that is missing.
    """
    try:
        process.capture(["cosign", *arguments], env=environment)
    except CommandError as error:
        said = error.tail.strip().splitlines() or [str(error)]
        wanted = next((line for line in said if line.startswith("Error:")), said[-1]).removeprefix("Error: ")
        line = f"{what}: cosign {arguments[0]} failed: {wanted}"
        if AWAY.search(wanted):
            raise NetworkError(f"{line}; run the same command again") from error
        raise VerifyError(line) from error


def signing(settings: Publishing, config: Path | None) -> list[str]:
    """Return the options of `cosign sign` and `cosign attest`.

    Args:
        settings: the key, and whether the public log gets an entry.
        config: cosign 3's file of services without a log; None for cosign 2, and where the log gets an entry.
    """
    key = [f"--key={settings.key}"] if settings.key else []
    quiet = [f"{SIGNING_CONFIG}={config}"] if config else ["--tlog-upload=false"]
    return ["--yes", *key, *([] if settings.transparency_log else quiet)]


def verifying(settings: Publishing) -> list[str]:
    """Return the options of `cosign verify` and `cosign verify-attestation`."""
    if settings.key:
        who = [f"--key={settings.public_key}"]
    else:
        who = [f"--certificate-identity-regexp={settings.identity}", f"--certificate-oidc-issuer={settings.issuer}"]
    return [*who, *([] if settings.transparency_log else ["--insecure-ignore-tlog=true"])]
