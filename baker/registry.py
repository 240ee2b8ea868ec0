"""A container registry over HTTP (the OCI distribution API): pushing by digest, what a tag points to, moving one.

buildx pushes by digest only from builders of its own, and an engine's push always moves a tag; so the bytes go from
here. What fails for the moment is asked again with back-off: a cut connection, 429 with its Retry-After, 5xx. A layer
goes in chunks, so that a cut one goes on where the registry has it; what the registry has already is not sent.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
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
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TIMEOUT = 60
CREATED = 201
UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404
CHUNK = 32 << 20
TRIES = 6
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
    """A repository of a registry, as in "registry.example.com/speech/stt"; logins are docker's own."""

    def __init__(self, name: str) -> None:
        host, _, self._path = name.partition("/")
        self.name = name
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
        answer = self._ask("GET", f"manifests/{reference}", headers={"Accept": MANIFESTS})
        if answer.status_code == NOT_FOUND:
            return None
        digest = f"sha256:{hashlib.sha256(answer.content).hexdigest()}"
        if reference.startswith("sha256:") and digest != reference:
            raise NetworkError(f"{self.name}@{reference}: the registry answers with other bytes, {digest}")
        return Manifest(digest=digest, media_type=answer.headers.get("Content-Type", ""), content=answer.content)

    def config(self, manifest: Manifest) -> dict[str, Any]:
        """Return the config of an image; of an index, that of its one image."""
        found = manifest.json
        if "manifests" in found:
            images = [item for item in found["manifests"] if item.get("platform", {}).get("os") != "unknown"]
            image = self.find(images[0]["digest"])
            if image is None:
                raise NetworkError(f"{self.name}@{manifest.digest} names an image that is not there")
            return self.config(image)
        answer = self._ask("GET", f"blobs/{found['config']['digest']}")
        content: dict[str, Any] = answer.json()
        return content

    def tag(self, manifest: Manifest, tag: str) -> None:
        """Let a tag point to a manifest; the registry keeps one or the other, never something between."""
        self._ask("PUT", f"manifests/{tag}", headers={"Content-Type": manifest.media_type}, data=manifest.content)

    def tags(self) -> tuple[str, ...]:
        """Return the tags, sorted; none where there is no such repository."""
        found: list[str] = []
        path = "tags/list?n=1000"
        while path:
            answer = self._ask("GET", path)
            if answer.status_code == NOT_FOUND:
                return ()
            found += answer.json().get("tags") or ()
            more = re.search(r"<.*?(tags/list[^>]*)>", answer.headers.get("Link", ""))
            path = more[1] if more else ""
        return tuple(sorted(found))

    def push(self, layout: Path, near: Sequence[str] = ()) -> Manifest:
        """Push the image of an OCI layout, without a tag: blobs first, the manifests that name them after.

        Args:
            layout: the folder, as BuildKit's exporter type=oci,tar=false writes it.
            near: repositories of the same registry that may have some of the layers already.
        """
        top = json.loads((layout / "index.json").read_text(encoding="utf-8"))["manifests"][0]
        paths = [name.partition("/")[2] for name in near if name.partition("/")[0] == self.name.partition("/")[0]]
        self._push(layout, top, paths)
        manifest = self.find(top["digest"])
        if manifest is None:
            raise NetworkError(f"{self.name}@{top['digest']} was pushed, and the registry does not have it")
        return manifest

    def _push(self, layout: Path, descriptor: Mapping[str, Any], near: Sequence[str]) -> None:
        content = _blob(layout, descriptor["digest"]).read_bytes()
        found = json.loads(content)
        for child in found.get("manifests", ()):
            self._push(layout, child, near)
        if "config" in found:
            for blob in (found["config"], *found["layers"]):
                self._upload(_blob(layout, blob["digest"]), blob["digest"], near)
        headers = {"Content-Type": descriptor["mediaType"]}
        self._ask("PUT", f"manifests/{descriptor['digest']}", headers=headers, data=content)

    def _upload(self, file: Path, digest: str, near: Sequence[str]) -> None:
        """Upload a blob, unless the registry has it."""
        if self._ask("HEAD", f"blobs/{digest}").ok:
            return
        for path in near:
            if self._ask("POST", f"blobs/uploads/?mount={digest}&from={path}").status_code == CREATED:
                return
        size, sent, tries = file.stat().st_size, 0, 0
        where = ""
        while True:
            try:
                where = where or self._ask("POST", "blobs/uploads/").headers["Location"]
                if sent < size:
                    where, sent = self._chunk(file, where, sent)
                    tries = 0
                    continue
                mark = "&" if "?" in where else "?"
                self._kept(self._ask("PUT", f"{where}{mark}digest={digest}"))
            except NetworkError:
                tries += 1
                if tries > TRIES:
                    raise
                time.sleep(min(2.0**tries / 4, 20.0))
                where, sent = self._resumed(where)
                continue
            return

    def _chunk(self, file: Path, where: str, sent: int) -> tuple[str, int]:
        """Send one chunk; return where the next one goes, and how much the registry then has."""
        with file.open("rb") as source:
            source.seek(sent)
            chunk = source.read(CHUNK)
        headers = {"Content-Type": "application/octet-stream", "Content-Range": f"{sent}-{sent + len(chunk) - 1}"}
        answer = self._ask("PATCH", where, headers=headers, data=chunk)
        self._kept(answer)
        return answer.headers["Location"], sent + len(chunk)

    def _kept(self, answer: requests.Response) -> None:
        if not answer.ok:
            raise NetworkError(
                f"{self.name}: the registry does not know an upload any more; run the same command again"
            )

    def _resumed(self, where: str) -> tuple[str, int]:
        """Ask how much of an upload the registry has; nothing where it does not know it any more."""
        if not where:
            return "", 0
        try:
            answer = self._ask("GET", where)
            got = re.fullmatch(r"(?:bytes=)?0-(\d+)", answer.headers.get("Range", ""))
            # Registries say 0-0 of an upload that is empty.
            return (answer.headers["Location"], int(got[1]) + 1 if got and int(got[1]) else 0) if answer.ok else ("", 0)
        except (NetworkError, KeyError):
            return "", 0

    def _ask(self, method: str, path: str, **options: Any) -> requests.Response:  # noqa: ANN401 - requests names them
        url = urljoin(f"{self._url}/", path)
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
            raise NetworkError(f"{url} answers HTTP {answer.status_code}: {answer.text[:200].strip()}")
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


def _blob(layout: Path, digest: str) -> Path:
    return layout / "blobs" / digest.replace(":", "/", 1)
