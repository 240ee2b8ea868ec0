"""Manifests: what a registry says an image is made of, checked before anybody believes it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from baker.errors import NetworkError
from baker.system import image_names

if TYPE_CHECKING:
    from baker.system.http import Answer

INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
IMAGES = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
ACCEPT = ", ".join((INDEXES[0], IMAGES[0], INDEXES[1], IMAGES[1]))


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


def read(answer: Answer, what: str) -> Manifest:
    """Return the manifest that a registry answers with.

    Args:
        answer: the answer.
        what: the image, for the message.

    Raises:
        NetworkError: it is something else, as the page of a network that wants a login first.
    """
    found = answer.json()
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip()
    parts: list[Any] = []
    if kind in INDEXES:
        parts = _list(found.get("manifests"))
    elif kind in IMAGES:
        parts = [found.get("config"), *_list(found.get("layers"))]
    if (not parts and kind not in INDEXES) or not all(_is_descriptor(part) for part in parts):
        raise NetworkError(
            f"{what}: {answer.url} answers with something that is no manifest of an image (type {kind or 'unnamed'})"
        )
    return Manifest(digest=digest(answer.content), media_type=kind, content=answer.content)


def digest(content: bytes) -> str:
    """Return sha256:… of some bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _list(found: object) -> list[Any]:
    return found if isinstance(found, list) else [None]


def _is_descriptor(part: object) -> bool:
    """Whether a part is named by digest and size: https://github.com/opencontainers/image-spec, descriptor.md."""
    if not isinstance(part, dict) or not isinstance(part.get("size"), int):
        return False
    if not isinstance(part.get("annotations", {}), dict) or not isinstance(part.get("platform", {}), dict):
        return False
    return bool(re.fullmatch(image_names.DIGEST, str(part.get("digest"))))
