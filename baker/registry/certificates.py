"""Certificates: the authorities and the client's certificate that Docker keeps for one registry.

https://docs.docker.com/engine/security/certificates/; a rootless engine has a folder in its user's home for them.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from baker.errors import NetworkError

if TYPE_CHECKING:
    from collections.abc import Mapping

SYSTEM = Path("/etc/docker/certs.d")


@dataclass(frozen=True, kw_only=True)
class Certificates:
    """Folders with a folder for each registry in them; the first that knows a registry counts."""

    folders: tuple[Path, ...] = (SYSTEM,)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Certificates:
        """Return the folders of a rootless engine and of the system, as one user has them."""
        home = environment.get("HOME") or Path.home()
        config = environment.get("XDG_CONFIG_HOME") or Path(home, ".config")
        return cls(folders=(Path(config, "docker/certs.d"), SYSTEM))

    def folder(self, registry: str) -> Path | None:
        """Return the folder of a registry, as in "registry.example.com:5000"; None where there is none."""
        found = (folder / registry for folder in self.folders)
        return next((path for path in found if any(path.glob("*.crt")) or any(path.glob("*.cert"))), None)

    def context(self, registry: str) -> ssl.SSLContext | None:
        """Return TLS with a registry's certificates beside the system's authorities; None where it has none.

        Raises:
            NetworkError: a certificate cannot be read.
        """
        folder = self.folder(registry)
        if folder is None:
            return None
        found = ssl.create_default_context()
        try:
            for path in sorted(folder.glob("*.crt")):
                found.load_verify_locations(path)
            for certificate, key in self.pairs(registry):
                found.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise NetworkError(f"{folder} has a certificate that cannot be read: {error}") from error
        return found

    def bundle(self, registry: str) -> str:
        """Return all authorities that count for a registry, as PEM; empty where it has none of its own."""
        context = self.context(registry)
        found = context.get_ca_certs(binary_form=True) if context else []
        return "".join(ssl.DER_cert_to_PEM_cert(certificate) for certificate in found)

    def pairs(self, registry: str) -> tuple[tuple[Path, Path], ...]:
        """Return the certificates that a registry wants to see of a client, with their keys."""
        folder = self.folder(registry)
        return tuple((path, path.with_suffix(".key")) for path in sorted(folder.glob("*.cert"))) if folder else ()
