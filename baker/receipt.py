"""Receipts: what a build left, kept in .baker/receipts/SERVICE.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from baker.build import StageTime


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """One image of one build.

    Sizes are bytes; `context` is the sha256 of the build context, `foundation` that of the layers under the project's
    own files.
    """

    service: str
    image: str
    digest: str
    size: int
    base: str
    accel: str
    crate: str
    context: str
    foundation: str
    stages: tuple[StageTime, ...]


def last_foundation(service: str, folder: Path) -> str:
    """Return the foundation of a service's last build that passed; empty where there is none."""
    try:
        return str(json.loads((folder / f"{service}.json").read_text(encoding="utf-8"))["foundation"])
    except (OSError, ValueError, KeyError):
        return ""


def write(receipt: Receipt, folder: Path) -> None:
    """Write a receipt over the last one of its service."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{receipt.service}.json"
    path.write_text(json.dumps(asdict(receipt), indent=2) + "\n", encoding="utf-8")
