"""A repository of a container registry (the OCI distribution API): what a tag points to, and moving it."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urljoin, urlsplit

from baker.errors import NetworkError
from baker.registry import advice
from baker.registry import manifest as manifests
from baker.registry.certificates import Certificates
from baker.registry.logins import Logins
from baker.registry.manifest import Manifest
from baker.registry.references import Reference
from baker.registry.session import Connector, Session
from baker.system import http, image_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Manifest", "Registries", "Repository"]


@dataclass(frozen=True, kw_only=True)
class Registries:
    """All registries, as one user reaches them."""

    connector: Connector

    @classmethod
    def of(cls, environment: Mapping[str, str], say: Callable[[str], None] = lambda _: None) -> Registries:
        """Return the registries with docker's logins of an environment. `say` takes lines about waiting."""
        certificates = Certificates.of(environment)
        return cls(connector=Connector(logins=Logins.of(environment), certificates=certificates, say=say))

    @property
    def logins(self) -> Logins:
        """The logins."""
        return self.connector.logins

    @property
    def certificates(self) -> Certificates:
        """The certificates of registries."""
        return self.connector.certificates

    def repository(self, name: str | Reference) -> Repository:
        """Return a repository, as in "registry.example.com/speech/stt", to be used in a with-block.

        Raises:
            UsageError: it is no such name.
        """
        reference = name if isinstance(name, Reference) else Reference.parse(name)
        return Repository(reference, self.connector)


class Repository:
    """A repository of a registry; connections are closed at the end of its with-block."""

    def __init__(self, reference: Reference, connector: Connector) -> None:
        self.reference = Reference(registry=reference.registry, repository=reference.repository)
        self.logins = connector.logins
        self.certificates = connector.certificates
        self._connector = connector
        self._session = Session(reference, connector)

    @property
    def name(self) -> str:
        """REGISTRY/REPOSITORY."""
        return self.reference.name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        """Close the connections."""
        self._session.__exit__(*raised)

    def beside(self, name: str) -> Repository:
        """Return another repository that is reached in the same way."""
        return Repository(Reference.parse(name), self._connector)

    def find(self, pointer: str) -> Manifest | None:
        """Return what a tag or a digest points to; None where there is no such thing.

        Raises:
            NetworkError: the registry cannot be reached, refuses, or answers with other bytes than it says.
        """
        answer = self._session.ask("GET", f"manifests/{pointer}", accept=manifests.ACCEPT)
        if answer.status == http.NOT_FOUND:
            return None
        found = manifests.read(answer, self._shown(pointer))
        if pointer.startswith("sha256:") and found.digest != pointer:
            raise NetworkError(f"{self.name}@{pointer}: the registry answers with other bytes, {found.digest}")
        return found

    def image(self, manifest: Manifest, architecture: str = "") -> dict[str, Any]:
        """Return the manifest of an image, parsed; of an index, that for an architecture, else the first."""
        found = manifest.json
        if "manifests" not in found:
            return found
        images = [item for item in found["manifests"] if item.get("platform", {}).get("os") != "unknown"]
        images.sort(key=lambda item: item.get("platform", {}).get("architecture") != architecture)
        image = self.find(images[0]["digest"]) if images else None
        if image is None or "manifests" in image.json:
            raise NetworkError(f"{self.name}@{manifest.digest} names an image that is not there")
        return image.json

    def config(self, manifest: Manifest, architecture: str = "") -> dict[str, Any]:
        """Return the config of an image; of an index, that for an architecture, else the first."""
        digest = self.image(manifest, architecture)["config"]["digest"]
        try:
            content = json.loads(self.blob(digest))
        except ValueError as error:
            raise NetworkError(f"{self.name}@{digest} is no config of an image") from error
        if not isinstance(content, dict) or not isinstance(content.get("config", {}), dict):
            raise NetworkError(f"{self.name}@{digest} is no config of an image")
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
        answer = self._session.ask("GET", f"blobs/{digest}")
        found = manifests.digest(answer.content)
        if not answer.ok or found != digest:
            raise NetworkError(f"{self.name}@{digest}: the registry answers HTTP {answer.status} and {found}")
        return answer.content

    def has_blob(self, digest: str) -> bool:
        """Whether the repository has a part of an image."""
        return self._session.ask("HEAD", f"blobs/{digest}").ok

    def foreign_uploads(self) -> str:
        """Return the address that uploads go to where that is of another origin; empty where it is the registry's own.

        An upload is begun for that, and given up.
        """
        answer = self._session.ask("POST", "blobs/uploads/")
        where = urljoin(f"{self._session.url}/", answer.headers.get("Location", ""))
        if not answer.ok:
            return ""
        if not self._session.is_own(where):
            parts = urlsplit(where)
            return f"{parts.scheme}://{parts.netloc}"
        with suppress(NetworkError):
            self._session.ask("DELETE", where)
        return ""

    def digest(self, pointer: str) -> str:
        """Return the digest that a tag or a digest has in the registry; empty where there is no such thing.

        No content is asked for: Docker Hub counts only that as a pull.
        """
        answer = self._session.ask("HEAD", f"manifests/{pointer}", accept=manifests.ACCEPT)
        if answer.status == http.NOT_FOUND:
            return ""
        found = answer.headers.get("Docker-Content-Digest", "")
        if not re.fullmatch(image_names.DIGEST, found):
            raise NetworkError(f"{self._shown(pointer)}: {answer.url} answers without a digest: is it a registry?")
        return found

    def check_upload(self) -> None:
        """Begin an upload and give it up: the registry says in its own words what is in the way.

        Raises:
            NetworkError: something is.
        """
        answer = self._session.ask("POST", "blobs/uploads/")
        if not answer.ok:
            raise NetworkError(f"{self.name}: {advice.make(self.reference)}")
        if where := answer.headers.get("Location", ""):
            with suppress(NetworkError):
                self._session.ask("DELETE", where)

    def tag(self, manifest: Manifest, tag: str) -> None:
        """Let a tag point to a manifest; the registry keeps one or the other, never something between."""
        self.put(manifest.content, manifest.media_type, tag)

    def put(self, content: bytes, media_type: str, pointer: str) -> None:
        """Write a manifest under a tag or under its digest; what it names is there already."""
        answer = self._session.ask("PUT", f"manifests/{pointer}", kind=media_type, content=content)
        if not answer.ok:
            raise NetworkError(f"{self._shown(pointer)}: the registry does not take it, HTTP {answer.status}")

    def tags(self) -> tuple[str, ...]:
        """Return the tags, sorted; none where there is no such repository."""
        found: list[str] = []
        path = "tags/list?n=1000"
        while path:
            answer = self._session.ask("GET", path)
            if answer.status == http.NOT_FOUND:
                return ()
            page = answer.json().get("tags") or []
            if not isinstance(page, list):
                raise NetworkError(f"{self.name}: the registry answers with something that is no list of tags")
            found += (str(tag) for tag in page)
            # Of a link only the query counts: the next page is of this repository too.
            more = re.search(r"<[^>]*tags/list(\?[^>]*)>", answer.headers.get("Link", ""))
            following = f"tags/list{more[1]}" if more and page else ""
            path = "" if following == path else following
        return tuple(sorted(found))

    def _shown(self, pointer: str) -> str:
        return f"{self.name}{'@' if ':' in pointer else ':'}{pointer}"
