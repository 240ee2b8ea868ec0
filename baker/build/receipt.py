"""Receipts: what a build left, kept in .baker/receipts/SERVICE.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from baker.buildkit.bake import StageTime
from baker.system import files

if TYPE_CHECKING:
    from pathlib import Path


# No service is called like that.
BEFORE = ".before"
# Below the folder of a project's state; the suffix of the platform follows.
FOLDER = "receipts"


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """One image of one build.

    Sizes are bytes; `own` are the labels of a crate of one's own, none for one of crates.io; `inputs` is the digest of
    the image's stage (stages.Stage.whole), `foundation` that of the layers under the project's own files, `checks` that
    of what was checked (verify.wanted). `link` and `export` are what the builder and the image store were asked for.
    `platform` is what the image is for, `built_on` what compiled it, and `local` what the engine runs. `layers` are the
    digests of the image's layers, lowest first.
    """

    service: str
    image: str
    digest: str
    size: int
    base: str
    accel: str
    crate: str
    own: dict[str, str]
    inputs: str
    foundation: str
    checks: str
    link: bool
    export: str
    platform: str
    built_on: str
    local: str
    stages: tuple[StageTime, ...]
    layers: tuple[str, ...] = ()


def read(service: str, folder: Path) -> Receipt | None:
    """Return the receipt of a service's last build; None where there is none, or one of another release."""
    try:
        found = json.loads((folder / f"{service}.json").read_text(encoding="utf-8"))
        return Receipt(
            **{
                **found,
                "stages": tuple(StageTime(**stage) for stage in found["stages"]),
                "layers": tuple(found.get("layers", ())),
            }
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def before(service: str, folder: Path) -> Receipt | None:
    """Return the receipt of the build whose image the last one has replaced; None where there is none."""
    return read(f"{service}{BEFORE}", folder)


def write(receipt: Receipt, folder: Path) -> None:
    """Write a receipt over the last one of its service, which is kept when its image is another."""
    folder.mkdir(parents=True, exist_ok=True)
    last = read(receipt.service, folder)
    if last is not None and last.digest != receipt.digest:
        (folder / f"{receipt.service}.json").replace(folder / f"{receipt.service}{BEFORE}.json")
    files.write_atomically(folder / f"{receipt.service}.json", json.dumps(asdict(receipt), indent=2) + "\n")
