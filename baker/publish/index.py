"""An index: the images of several platforms, and what is attached to them, under one digest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from baker.errors import NetworkError
from baker.publish.provenance import is_attestation
from baker.registry.manifest import INDEXES, digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from baker.build.receipt import Receipt
    from baker.registry.client import Manifest, Repository


def images(repository: Repository, manifest: Manifest) -> dict[str, Manifest]:
    """Return the images of an index by their platforms; of a manifest that is no index, itself under an empty name.

    Raises:
        NetworkError: the index names an image that is not there.
    """
    found: dict[str, Manifest] = {}
    entries = manifest.json.get("manifests", ())
    for entry in entries:
        if is_attestation(entry):
            continue
        image = repository.find(entry["digest"])
        if image is None:
            raise NetworkError(f"{repository.name}@{manifest.digest} names an image that is not there")
        platform = entry.get("platform", {})
        found[f"{platform.get('os', '')}/{platform.get('architecture', '')}"] = image
    return found if entries else {"": manifest}


def joined(repository: Repository, manifests: Sequence[Manifest], receipts: Sequence[Receipt]) -> Manifest:
    """Return one manifest for images that were pushed, one for each platform: of several, an index, which is written.

    Args:
        repository: where they are.
        manifests: what was pushed: images, or indexes of one image and its provenance.
        receipts: what was built, in the same order.

    Raises:
        NetworkError: the registry does not take it.
    """
    if len(manifests) == 1:
        return manifests[0]
    entries: list[Mapping[str, Any]] = []
    for manifest, receipt in zip(manifests, receipts, strict=True):
        system, _, architecture = receipt.platform.partition("/")
        entries += manifest.json.get("manifests") or [
            {
                "mediaType": manifest.media_type,
                "digest": manifest.digest,
                "size": len(manifest.content),
                "platform": {"architecture": architecture, "os": system},
            }
        ]
    content = json.dumps({"schemaVersion": 2, "mediaType": INDEXES[0], "manifests": entries}, indent=2).encode()
    repository.put(content, INDEXES[0], digest(content))
    found = repository.find(digest(content))
    if found is None:
        raise NetworkError(f"{repository.name}@{digest(content)} was pushed, and the registry does not have it")
    return found
