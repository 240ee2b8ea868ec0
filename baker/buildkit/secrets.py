"""What a build must know and no layer may hold: the bundle of certificate authorities and a netrc file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from baker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from baker.config.settings import Settings

# Where distributions keep the authorities that an administrator added, and the bundles that may then hold them.
PRIVATE = (
    # Debian, Ubuntu, Alpine (https://manpages.debian.org/trixie/ca-certificates/update-ca-certificates.8.en.html)
    ("usr/local/share/ca-certificates", ("etc/ssl/certs/ca-certificates.crt", "etc/ssl/cert.pem")),
    # Fedora, RHEL and what is like them (update-ca-trust(8)); newer ones have the second file only.
    (
        "etc/pki/ca-trust/source/anchors",
        ("etc/pki/tls/certs/ca-bundle.crt", "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"),
    ),
    # openSUSE, SLES (update-ca-certificates(8) of p11-kit)
    ("etc/pki/trust/anchors", ("etc/ssl/ca-bundle.pem", "var/lib/ca-certificates/ca-bundle.pem")),
    # Arch
    ("etc/ca-certificates/trust-source/anchors", ("etc/ssl/certs/ca-certificates.crt",)),
)
# Debian's tool takes *.crt alone; the others take a PEM or DER file of any name, and these are what they are called.
CERTIFICATES = frozenset({".crt", ".pem", ".cer", ".der"})
VARIABLES = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")


def collect(settings: Settings, environment: Mapping[str, str], host: Path = Path("/")) -> tuple[tuple[str, Path], ...]:
    """Return the secrets to hand in, as (id, file).

    Raises:
        UsageError: baker.toml names a file that is not there.
    """
    found = []
    bundle = _bundle(settings.ca, environment, host)
    if bundle:
        found.append(("ca", bundle))
    if settings.netrc:
        netrc = Path(settings.netrc).expanduser()
        if not netrc.is_file():
            raise UsageError(f"baker.toml [secrets] netrc: there is no file {netrc}")
        found.append(("netrc", netrc))
    return tuple(found)


def _bundle(wanted: str, environment: Mapping[str, str], host: Path) -> Path | None:
    if wanted == "none":
        return None
    if wanted != "auto":
        path = Path(wanted).expanduser()
        if not path.is_file():
            raise UsageError(f"baker.toml [secrets] ca: there is no file {path}")
        return path
    for variable in VARIABLES:
        named = environment.get(variable)
        if named and Path(named).is_file():
            return Path(named)
    for added, bundles in PRIVATE:
        if any(path.suffix in CERTIFICATES for path in (host / added).glob("**/*")):
            for bundle in bundles:
                if (host / bundle).is_file():
                    return host / bundle
    return None
