"""Receipts: what a build left, kept in .baker/receipts/SERVICE.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from baker.build import StageTime

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """One image of one build.

    Sizes are bytes; `inputs` is the digest of the image's stage (stages.Stage.whole), `foundation` that of the layers
    under the project's own files, `checks` that of what was checked (verify.wanted). `link` and `export` are what the
    builder and the image store were asked for.
    """

    service: str
    image: str
    digest: str
    size: int
    base: str
    accel: str
    crate: str
    inputs: str
    foundation: str
    checks: str
    link: bool
    export: str
    stages: tuple[StageTime, ...]


def read(service: str, folder: Path) -> Receipt | None:
    """Return the receipt of a service's last build; None where there is none, or one of another release."""
    try:
        found = json.loads((folder / f"{service}.json").read_text(encoding="utf-8"))
        return Receipt(**{**found, "stages": tuple(StageTime(**stage) for stage in found["stages"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(receipt: Receipt, folder: Path) -> None:
    """Write a receipt over the last one of its service."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{receipt.service}.json"
    path.write_text(json.dumps(asdict(receipt), indent=2) + "\n", encoding="utf-8")
