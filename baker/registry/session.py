"""A session with one registry: its address, its logins and tokens, and which of them go where.

A login goes to the registry's own origin, and to the token server that the registry itself names. Neither goes over
plain HTTP, but to this machine. A token is asked for again when it has run out: GitHub's and Docker Hub's last minutes.
https://distribution.github.io/distribution/spec/auth/token/
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode, urljoin, urlsplit

from baker.errors import NetworkError
from baker.registry import advice
from baker.registry.certificates import Certificates
from baker.registry.references import DOCKER_HUB
from baker.system import http, image_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx2

    from baker.registry.logins import Login, Logins
    from baker.registry.references import Reference
    from baker.system.http import Answer, Http

HUB_API = "registry-1.docker.io"
READING = ("GET", "HEAD")
CLIENT = "baker"
# OpenSSL's words for a certificate of somebody unknown, and for an answer that is no TLS.
UNTRUSTED = re.compile(r"CERTIFICATE_VERIFY_FAILED")
NO_TLS = re.compile(r"WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|record layer failure", re.IGNORECASE)
# ENOSPC is 28, which is all that the reference implementation says of it.
DISK_FULL = re.compile(r"no space left|\"Err\": ?28\b", re.IGNORECASE)
FULL = 507
IS_FULL = "the disk of the registry is full; make room there, and run the same command again"


@dataclass(frozen=True, kw_only=True)
class Connector:
    """How registries are reached: the logins, and where lines for people go; what tests put in place of the network."""

    logins: Logins
    say: Callable[[str], None] = lambda _: None
    certificates: Certificates = field(default_factory=Certificates)
    transport: httpx2.BaseTransport | None = None
    tries: int = http.TRIES
    seconds: float = http.READ

    def open(self, registry: str) -> Http:
        """Return connections to a registry."""
        local = image_names.on_this_machine(registry)
        return http.Http(
            say=self.say,
            tries=self.tries,
            seconds=self.seconds,
            authorities=None if local else self.certificates.context(registry),
            # As Go's programs have it: no proxy for this machine.
            proxies=not local,
            transport=self.transport,
        )


class Session:
    """Requests about one repository."""

    def __init__(self, reference: Reference, connector: Connector) -> None:
        self.name = reference.name
        self._registry, self._path = reference.registry, reference.repository
        self.url = address(reference)
        self._logins = connector.logins
        self._http = connector.open(reference.registry)
        self._login: Login | None = None
        # By what they allow.
        self._tokens: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._http.close()

    def ask(self, method: str, path: str, *, kind: str = "", accept: str = "", content: bytes | None = None) -> Answer:
        """Send a request and return the answer; a 404 is one too.

        Args:
            method: HTTP's.
            path: under the repository, or an address that the registry has given.
            kind: the media type of the content.
            accept: the media types that may come back.
            content: what is sent.

        Raises:
            NetworkError: the registry cannot be reached, refuses, or answers with another error.
        """
        url = urljoin(f"{self.url}/", path)
        headers = {name: value for name, value in (("Content-Type", kind), ("Accept", accept)) if value}
        scope = "pull" if method in READING else "pull,push"
        own = self.is_own(url)
        for last in (False, True):
            token = self._tokens.get(scope, "") if own else ""
            sent = {**headers, **({"Authorization": token} if token else {})}
            answer = self._send(method, url, sent, content)
            # Another host's wish for a login is not the registry's.
            if answer.status != http.UNAUTHORIZED or answer.foreign or not own or last:
                break
            fresh = self._authorization(answer, scope)
            if not fresh or fresh == token:
                break
            self._tokens[scope] = fresh
        if answer.status in (http.UNAUTHORIZED, http.FORBIDDEN):
            raise NetworkError(self._refused(answer))
        if not answer.ok and answer.status != http.NOT_FOUND:
            raise NetworkError(f"{url} answers HTTP {answer.status}: {_said(answer)}")
        return answer

    def is_own(self, url: str) -> bool:
        """Whether an address is of the registry's own origin: the same host, port and scheme."""
        return _origin(url) == _origin(self.url)

    def _send(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None = None) -> Answer:
        try:
            return self._http.ask(method, url, headers, content)
        except NetworkError as error:
            host = urlsplit(url).netloc
            if UNTRUSTED.search(str(error)):
                raise NetworkError(f"{error}; {advice.trust(host)}") from error
            if NO_TLS.search(str(error)):
                raise NetworkError(f"{self.name}: {advice.no_tls(host)}") from error
            raise

    def _authorization(self, answer: Answer, scope: str) -> str:
        """Return the header that a registry asks for in a 401; empty where there is no login for it."""
        challenge = answer.headers.get("WWW-Authenticate", "")
        asked = {key.lower(): value for key, value in re.findall(r'(\w+)="([^"]*)"', challenge)}
        login = self._logins.find(self._registry)
        if challenge.lower().startswith("basic"):
            return login.basic if login else ""
        if not challenge.lower().startswith("bearer"):
            raise NetworkError(f"{self._refused(answer)} (it does not say what login it wants)")
        realm = asked.get("realm", "")
        if not realm.startswith(("https://", "http://")):
            raise NetworkError(f"{self.name}: the registry wants a token, and does not say from where (no realm)")
        if urlsplit(realm).scheme != "https" and not image_names.on_this_machine(self._registry):
            raise NetworkError(f"{self.name}: the registry's token server {realm} has no TLS: no login was sent")
        return self._token(realm, asked.get("service", ""), scope, login)

    def _token(self, realm: str, service: str, scope: str, login: Login | None) -> str:
        """Ask the token server; an identity token is exchanged there, as OAuth 2 has it."""
        wanted = {"service": service, "scope": f"repository:{self._path}:{scope}"}
        if login and login.identity_token:
            form = {"grant_type": "refresh_token", "client_id": CLIENT, "refresh_token": login.identity_token, **wanted}
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = self._send("POST", realm, headers, urlencode(form).encode())
        else:
            headers = {"Authorization": login.basic} if login and login.basic else {}
            mark = "&" if "?" in realm else "?"
            answer = self._send("GET", f"{realm}{mark}{urlencode(wanted)}", headers)
        if answer.status in (http.UNAUTHORIZED, http.FORBIDDEN):
            raise NetworkError(self._refused(answer))
        if not answer.ok:
            raise NetworkError(f"{realm}, the token server of {self._registry}, answers HTTP {answer.status}")
        found = answer.json()
        token = found.get("token") or found.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise NetworkError(f"{realm}, the token server of {self._registry}, answers without a token")
        return f"Bearer {token}"

    def _refused(self, answer: Answer) -> str:
        if answer.foreign:
            return f"{self.name}: {answer.url} refuses, HTTP {answer.status}; the registry has sent us there"
        return f"{self.name}: the registry refuses, HTTP {answer.status}: {advice.log_in(self._registry)}"


def address(reference: Reference) -> str:
    """Return the address of a repository in its registry's API; a registry on this machine has no TLS."""
    host = HUB_API if reference.registry == DOCKER_HUB else reference.registry
    scheme = "http" if image_names.on_this_machine(host) else "https"
    return f"{scheme}://{host}/v2/{reference.repository}"


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _said(answer: Answer) -> str:
    """Return what a registry says of an error, in one line."""
    if answer.status == FULL or DISK_FULL.search(answer.text):
        return IS_FULL
    if answer.status == http.TOO_MANY:
        return "too many requests: wait, or log in where that allows more"
    try:
        return "; ".join(str(error["message"]) for error in answer.json()["errors"])
    except (NetworkError, KeyError, TypeError):
        return " ".join(answer.text[:200].split())
