"""A registry in place of the network: what it answers is a function of the request."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

from baker.registry.client import Registries
from baker.registry.logins import Login, Logins
from baker.registry.session import Connector

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

INDEX = "application/vnd.oci.image.index.v1+json"
IMAGE = "application/vnd.oci.image.manifest.v1+json"


class Known(Logins):
    """Logins that are said, in place of docker's config.json."""

    def __init__(self, logins: Mapping[str, Login]) -> None:
        super().__init__(file=Path("config.json"))
        object.__setattr__(self, "said", dict(logins))

    def find(self, registry: str) -> Login | None:
        found: dict[str, Login] = self.said  # type: ignore[attr-defined]
        return found.get(registry)


def registries(
    answer: Callable[[httpx2.Request], httpx2.Response], logins: Mapping[str, Login] | None = None, tries: int = 1
) -> Registries:
    connector = Connector(logins=Known(logins or {}), transport=httpx2.MockTransport(answer), tries=tries)
    return Registries(connector=connector)


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def descriptor(content: bytes = b"x", **more: Any) -> dict[str, Any]:
    return {"digest": digest(content), "size": len(content), **more}


def manifest(config: bytes = b"{}", *layers: bytes) -> httpx2.Response:
    content = {"schemaVersion": 2, "config": descriptor(config), "layers": [descriptor(layer) for layer in layers]}
    return httpx2.Response(200, headers={"Content-Type": IMAGE}, content=json.dumps(content))
