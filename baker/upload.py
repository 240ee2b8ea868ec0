"""Pushing an image by its digest: chunk by chunk, and only what the registry has not got.

buildx pushes by digest only from builders of its own, and an engine's push always moves a tag; so the bytes go from
here. A layer that is cut goes on where the registry has it.
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

from baker.errors import NetworkError
from baker.layout import blob
from baker.registry import CREATED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import requests

    from baker.registry import Manifest, Repository

CHUNK = 32 << 20
TRIES = 6


def push(repository: Repository, folder: Path, near: Sequence[str] = ()) -> Manifest:
    """Push the image of an OCI layout, without a tag: blobs first, the manifests that name them after.

    Args:
        repository: where it goes.
        folder: the layout, as BuildKit's exporter type=oci,tar=false writes it.
        near: repositories of the same registry that may have some of the layers already.
    """
    top = json.loads((folder / "index.json").read_text(encoding="utf-8"))["manifests"][0]
    paths = [name.partition("/")[2] for name in near if name.partition("/")[0] == repository.name.partition("/")[0]]
    _push(repository, folder, top, paths)
    manifest = repository.find(top["digest"])
    if manifest is None:
        raise NetworkError(f"{repository.name}@{top['digest']} was pushed, and the registry does not have it")
    return manifest


def _push(repository: Repository, folder: Path, descriptor: Mapping[str, Any], near: Sequence[str]) -> None:
    content = blob(folder, descriptor["digest"]).read_bytes()
    found = json.loads(content)
    for child in found.get("manifests", ()):
        _push(repository, folder, child, near)
    if "config" in found:
        for part in (found["config"], *found["layers"]):
            _upload(repository, blob(folder, part["digest"]), part["digest"], near)
    headers = {"Content-Type": descriptor["mediaType"]}
    repository.ask("PUT", f"manifests/{descriptor['digest']}", headers=headers, data=content)


def _upload(repository: Repository, file: Path, digest: str, near: Sequence[str]) -> None:
    """Upload a blob, unless the registry has it."""
    if repository.ask("HEAD", f"blobs/{digest}").ok:
        return
    for path in near:
        if repository.ask("POST", f"blobs/uploads/?mount={digest}&from={path}").status_code == CREATED:
            return
    size, sent, tries = file.stat().st_size, 0, 0
    where = ""
    while True:
        try:
            where = where or repository.ask("POST", "blobs/uploads/").headers["Location"]
            if sent < size:
                where, sent = _chunk(repository, file, where, sent)
                tries = 0
                continue
            mark = "&" if "?" in where else "?"
            _kept(repository, repository.ask("PUT", f"{where}{mark}digest={digest}"))
        except NetworkError:
            tries += 1
            if tries > TRIES:
                raise
            time.sleep(min(2.0**tries / 4, 20.0))
            where, sent = _resumed(repository, where)
            continue
        return


def _chunk(repository: Repository, file: Path, where: str, sent: int) -> tuple[str, int]:
    """Send one chunk; return where the next one goes, and how much the registry then has."""
    with file.open("rb") as source:
        source.seek(sent)
        chunk = source.read(CHUNK)
    headers = {"Content-Type": "application/octet-stream", "Content-Range": f"{sent}-{sent + len(chunk) - 1}"}
    answer = repository.ask("PATCH", where, headers=headers, data=chunk)
    _kept(repository, answer)
    return answer.headers["Location"], sent + len(chunk)


def _kept(repository: Repository, answer: requests.Response) -> None:
    if not answer.ok:
        raise NetworkError(
            f"{repository.name}: the registry does not know an upload any more; run the same command again"
        )


def _resumed(repository: Repository, where: str) -> tuple[str, int]:
    """Ask how much of an upload the registry has; nothing where it does not know it any more."""
    if not where:
        return "", 0
    try:
        answer = repository.ask("GET", where)
        got = re.fullmatch(r"(?:bytes=)?0-(\d+)", answer.headers.get("Range", ""))
        # Registries say 0-0 of an upload that is empty.
        return (answer.headers["Location"], int(got[1]) + 1 if got and int(got[1]) else 0) if answer.ok else ("", 0)
    except (NetworkError, KeyError):
        return "", 0
