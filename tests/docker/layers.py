"""What differs between two images: layer by layer, and in a layer file by file."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def save(host: str, image: str, tarball: Path) -> Path:
    """Save an image of an engine; the tarball has its layers as blobs."""
    command = ["docker", *(["--host", host] if host else []), "image", "save", "--output", str(tarball), image]
    subprocess.run(command, check=True, capture_output=True)
    return tarball


def differences(first: Path, second: Path) -> list[str]:
    """Return a line for each file, layer or key of the config that two saved images do not have alike."""
    with tarfile.open(first) as one, tarfile.open(second) as other:
        return list(_images(one, other))


def _images(one: tarfile.TarFile, other: tarfile.TarFile) -> Iterator[str]:
    ours, theirs = (_json(image, "manifest.json")[0] for image in (one, other))
    configs = [_json(image, manifest["Config"]) for image, manifest in ((one, ours), (other, theirs))]
    for key in sorted(set(configs[0]) | set(configs[1])):
        if configs[0].get(key) != configs[1].get(key):
            yield f"config {key}: {configs[0].get(key)} | {configs[1].get(key)}"
    if len(ours["Layers"]) != len(theirs["Layers"]):
        yield f"layers: {len(ours['Layers'])} | {len(theirs['Layers'])}"
    for number, (left, right) in enumerate(zip(ours["Layers"], theirs["Layers"], strict=False)):
        if left == right:
            continue
        before, after = _files(one, left), _files(other, right)
        names = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
        for name in names:
            yield f"layer {number} {name}: {before.get(name)} | {after.get(name)}"
        if not names:
            yield f"layer {number}: the same files, in another order or another form"


def _json(image: tarfile.TarFile, name: str):
    found = image.extractfile(name)
    assert found is not None, name
    return json.load(found)


def _files(image: tarfile.TarFile, layer: str) -> dict[str, tuple[object, ...]]:
    with tarfile.open(fileobj=image.extractfile(layer)) as files:
        found: dict[str, tuple[object, ...]] = {}
        for file in files:
            content = files.extractfile(file) if file.isfile() else None
            digest = hashlib.sha256(content.read()).hexdigest()[:12] if content else ""
            found[file.name] = (file.type, oct(file.mode), file.uid, file.gid, file.mtime, file.linkname, digest)
        return found
