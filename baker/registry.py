"""A container registry over HTTP (the OCI distribution API): what a tag points to, and moving it.

What fails for the moment is asked again with back-off: a cut connection, 429 with its Retry-After, 5xx.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from baker import engine, web
from baker.errors import NetworkError
from baker.sources import MANIFESTS

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT = 60
CREATED = 201
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, FULL = 401, 403, 404, 507
# ENOSPC is 28, which is all that the reference implementation says of it.
DISK_FULL = re.compile(r"no space left|\"Err\": ?28\b", re.IGNORECASE)
RETRY = Retry(
    total=6,
    backoff_factor=0.5,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=("GET", "HEAD", "PUT"),
    raise_on_status=False,
)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A manifest or an index, as the registry has it."""

    digest: str
    media_type: str
    content: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The same, parsed."""
        found: dict[str, Any] = json.loads(self.content)
        return found


class Repository:
    """A repository of a registry, as in "registry.example.com/speech/stt"; logins are docker's own.

    `sent` counts the bytes that went there, what had to be sent twice as well.
    """

    def __init__(self, name: str) -> None:
        host, _, self._path = name.partition("/")
        self.name = name
        self.sent = 0
        self._url = f"{web.registry(web.DOCKER_HUB if host == 'docker.io' else host)}{self._path}"
        self._login = engine.login(host)
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=RETRY))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._session.close()

    def find(self, reference: str) -> Manifest | None:
        """Return what a tag or a digest points to; None where there is no such thing.

        Raises:
            NetworkError: the registry cannot be reached, refuses, or answers with other bytes than it says.
        """
        answer = self.ask("GET", f"manifests/{reference}", headers={"Accept": MANIFESTS})
        if answer.status_code == NOT_FOUND:
            return None
        digest = _digest(answer.content)
        if reference.startswith("sha256:") and digest != reference:
            raise NetworkError(f"{self.name}@{reference}: the registry answers with other bytes, {digest}")
        return Manifest(digest=digest, media_type=answer.headers.get("Content-Type", ""), content=answer.content)

    def image(self, manifest: Manifest) -> dict[str, Any]:
        """Return the manifest of an image, parsed; of an index, that of its one image."""
        found = manifest.json
        if "manifests" not in found:
            return found
        images = [item for item in found["manifests"] if item.get("platform", {}).get("os") != "unknown"]
        image = self.find(images[0]["digest"])
        if image is None:
            raise NetworkError(f"{self.name}@{manifest.digest} names an image that is not there")
        return self.image(image)

    def config(self, manifest: Manifest) -> dict[str, Any]:
        """Return the config of an image; of an index, that of its one image."""
        content: dict[str, Any] = json.loads(self.blob(self.image(manifest)["config"]["digest"]))
        return content

    def size(self, manifest: Manifest) -> int:
        """Return the bytes that a machine downloads which has nothing of an image yet."""
        found = self.image(manifest)
        return sum(int(part["size"]) for part in (found["config"], *found["layers"]))

    def blob(self, digest: str) -> bytes:
        """Return the bytes of a small part of an image: its config, a statement about it.

        Raises:
            NetworkError: the registry cannot be reached, has no such thing, or answers with other bytes than it says.
        """
        answer = self.ask("GET", f"blobs/{digest}")
        found = _digest(answer.content)
        if not answer.ok or found != digest:
            raise NetworkError(f"{self.name}@{digest}: the registry answers HTTP {answer.status_code} and {found}")
        return answer.content

    def tag(self, manifest: Manifest, tag: str) -> None:
        """Let a tag point to a manifest; the registry keeps one or the other, never something between."""
        self.ask("PUT", f"manifests/{tag}", headers={"Content-Type": manifest.media_type}, data=manifest.content)

    def tags(self) -> tuple[str, ...]:
        """Return the tags, sorted; none where there is no such repository."""
        found: list[str] = []
        path = "tags/list?n=1000"
        while path:
            answer = self.ask("GET", path)
            if answer.status_code == NOT_FOUND:
                return ()
            found += answer.json().get("tags") or ()
            more = re.search(r"<.*?(tags/list[^>]*)>", answer.headers.get("Link", ""))
            path = more[1] if more else ""
        return tuple(sorted(found))

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:  # noqa: ANN401 - requests names them
        """Send a request and return the answer, a 404 too.

        Args:
            method: HTTP's.
            path: under the repository, or an address that the registry has given.
            options: as requests.request takes them.

        Raises:
            NetworkError: the registry cannot be reached, or answers with another error.
        """
        url = urljoin(f"{self._url}/", path)
        self.sent += len(options.get("data") or b"")
        try:
            answer = self._session.request(method, url, timeout=TIMEOUT, **options)
            if answer.status_code == UNAUTHORIZED and "Authorization" not in self._session.headers:
                self._authorize(answer.headers)
                answer = self._session.request(method, url, timeout=TIMEOUT, **options)
        except requests.RequestException as error:
            raise NetworkError(f"{url} cannot be reached: {error}; run the same command again") from error
        if answer.status_code in (UNAUTHORIZED, FORBIDDEN):
            host = self.name.partition("/")[0]
            raise NetworkError(f"{self.name}: the registry refuses, HTTP {answer.status_code}: `docker login {host}`")
        if answer.status_code >= 400 and answer.status_code != NOT_FOUND:  # noqa: PLR2004 - HTTP's errors
            raise NetworkError(f"{url} answers HTTP {answer.status_code}: {_said(answer)}")
        return answer

    def _authorize(self, headers: Mapping[str, str]) -> None:
        """Log in as the registry asks: with a token from where it says, or with name and password."""
        challenge = headers.get("WWW-Authenticate", "")
        asked = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        if not challenge.lower().startswith("bearer"):
            self._session.auth = self._login
            return
        scope = {"service": asked.get("service", ""), "scope": f"repository:{self._path}:pull,push"}
        answer = self._session.get(asked["realm"], params=scope, auth=self._login, timeout=TIMEOUT)
        if answer.ok:
            token = answer.json()
            self._session.headers["Authorization"] = f"Bearer {token.get('token') or token.get('access_token')}"


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _said(answer: requests.Response) -> str:
    """Return what a registry says of an error, in one line."""
    if answer.status_code == FULL or DISK_FULL.search(answer.text):
        return "the disk of the registry is full; make room there, and run the same command again"
    try:
        return "; ".join(str(error["message"]) for error in answer.json()["errors"])
    except (ValueError, KeyError, TypeError):
        return " ".join(answer.text[:200].split())
