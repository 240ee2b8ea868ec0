"""Logins: what `docker login` has stored for a registry, in docker's config.json or behind a credential helper.

The rules are those of docker's own command line: a helper of the registry (credHelpers), then the helper of all
(credsStore), then the file (auths). skopeo and cosign get the login that was found here, so that all have the same one.
https://docs.docker.com/reference/cli/docker/login/#credential-stores
"""

from __future__ import annotations

import base64
import json
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baker.errors import NOT_STARTED, CommandError, EngineError, UsageError
from baker.registry.references import ALIASES, DOCKER_HUB
from baker.system import process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Docker Hub's logins are stored under the address of its first API.
HUB_KEY = "https://index.docker.io/v1/"
# What a helper names as the user when the secret is an identity token.
TOKEN_USER = "<token>"  # noqa: S105
# What helpers print for a registry that they have no login for: docker/docker-credential-helpers, credentials/error.go.
NOTHING = ("credentials not found", "no credentials", "not found in native keychain")


@dataclass(frozen=True, kw_only=True)
class Login:
    """A name with a password, or an identity token, which is exchanged for tokens of short life (Azure)."""

    name: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The value of a header Authorization; empty for an identity token."""
        return f"Basic {self._encoded}" if self.name else ""

    @property
    def entry(self) -> dict[str, str]:
        """The entry of a config.json."""
        if self.identity_token:
            return {
                "auth": base64.b64encode(f"{self.name or TOKEN_USER}:".encode()).decode(),
                "identitytoken": self.identity_token,
            }
        return {"auth": self._encoded}

    @property
    def _encoded(self) -> str:
        return base64.b64encode(f"{self.name}:{self.password}".encode()).decode()


@dataclass(frozen=True, kw_only=True)
class Logins:
    """The logins of docker's config.json. `environment` is what credential helpers run in."""

    file: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Logins:
        """Return the logins that docker's command line would use in an environment."""
        folder = environment.get("DOCKER_CONFIG") or Path(environment.get("HOME") or Path.home(), ".docker")
        return cls(file=Path(folder, "config.json"), environment=environment)

    def find(self, registry: str) -> Login | None:
        """Return the login for a registry, as in "ghcr.io"; None where there is none.

        Raises:
            UsageError: config.json cannot be read.
            EngineError: the credential helper that it names is missing or fails.
        """
        config = self._config()
        key = HUB_KEY if registry == DOCKER_HUB else registry
        helper = _table(config, "credHelpers").get(key) or _table(config, "credHelpers").get(registry)
        if helper := helper or config.get("credsStore"):
            found = self._ask(str(helper), key)
            if found:
                return found
        entries = _table(config, "auths")
        for name, entry in entries.items():
            if isinstance(entry, dict) and _host(name) == registry:
                return self._entry(name, entry)
        return None

    @contextmanager
    def written(self, registry: str) -> Iterator[Path]:
        """Yield a config.json, for the block alone, that has the login of one registry as skopeo and cosign read it."""
        login = self.find(registry)
        key = HUB_KEY if registry == DOCKER_HUB else registry
        with tempfile.TemporaryDirectory(prefix="baker-login-") as folder:
            path = Path(folder, "config.json")
            content = {"auths": {key: login.entry} if login else {}}
            # The folder is the user's alone.
            path.write_text(json.dumps(content), encoding="utf-8")
            yield path

    def _config(self) -> dict[str, Any]:
        try:
            found = json.loads(self.file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise UsageError(f"{self.file} holds docker's logins and cannot be read: {error}") from error
        if not isinstance(found, dict):
            raise UsageError(f"{self.file} holds docker's logins and is no JSON object")
        return found

    def _ask(self, helper: str, key: str) -> Login | None:
        """Ask a credential helper, which reads a registry from stdin and prints JSON."""
        program = f"docker-credential-{helper}"
        try:
            said = process.capture([program, "get"], env=self.environment, given=key)
        except CommandError as error:
            if error.returncode == NOT_STARTED:
                raise EngineError(
                    f"{self.file} names the credential helper {program}, which is not installed or does not start: "
                    "install it, or take credsStore and credHelpers out of that file and run `docker login` again"
                ) from error
            if any(text in error.tail.lower() for text in NOTHING):
                return None
            raise EngineError(f"{program} gives no login for {key}: {error.tail or error}") from error
        try:
            found = json.loads(said)
            name, secret = str(found.get("Username") or ""), str(found.get("Secret") or "")
        except (ValueError, AttributeError) as error:
            raise EngineError(f"{program} prints something that is no login for {key}") from error
        if name == TOKEN_USER:
            return Login(identity_token=secret)
        return Login(name=name, password=secret) if name or secret else None

    def _entry(self, name: str, entry: Mapping[str, Any]) -> Login | None:
        """Return the login of an entry of `auths`; None for an empty one, which a credential store leaves behind."""
        user, password = str(entry.get("username") or ""), str(entry.get("password") or "")
        if encoded := entry.get("auth"):
            try:
                user, _, password = base64.b64decode(str(encoded), validate=True).decode().partition(":")
            except ValueError as error:
                raise UsageError(
                    f"{self.file}: the login for {name} cannot be read; run `docker login` again"
                ) from error
        password = password.rstrip("\0")
        if token := entry.get("identitytoken"):
            return Login(name=user, identity_token=str(token))
        return Login(name=user, password=password) if user else None


def _table(config: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = config.get(key)
    return found if isinstance(found, dict) else {}


def _host(name: str) -> str:
    """Return the registry of a key of `auths`, which may be written as an address."""
    host = name.removeprefix("https://").removeprefix("http://").partition("/")[0]
    return ALIASES.get(host, host)
