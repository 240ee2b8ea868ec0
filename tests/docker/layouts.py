"""OCI layouts of images that no registry has."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import zstandard

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def write(folder: Path, layer: bytes) -> Path:
    """Write an OCI layout as BuildKit does: an index with an image, whose layer no registry has, and a statement."""

    def blob(content: bytes, kind: str) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        path = folder / "blobs/sha256" / digest
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content)}

    def manifest(config: bytes, content: bytes, kind: str) -> dict[str, Any]:
        parts = {
            "config": blob(config, "application/vnd.oci.image.config.v1+json"),
            "layers": [blob(content, kind)],
        }
        return blob(json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, **parts}).encode(), MANIFEST)

    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}
    packed = zstandard.compress(layer)
    image = manifest(json.dumps(config).encode(), packed, "application/vnd.oci.image.layer.v1.tar+zstd")
    image["platform"] = {"architecture": "amd64", "os": "linux"}
    unknown = {"architecture": "unknown", "os": "unknown", "rootfs": {"type": "layers", "diff_ids": []}}
    statement = manifest(json.dumps(unknown).encode(), b"{}" + layer[:9], "application/vnd.in-toto+json")
    statement["platform"] = {"architecture": "unknown", "os": "unknown"}
    content = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [image, statement]}
    index = {"schemaVersion": 2, "manifests": [blob(json.dumps(content).encode(), INDEX)]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return folder
