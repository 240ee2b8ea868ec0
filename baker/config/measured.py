"""What was measured on cards: one JSON file each, in the folder measured/."""

from __future__ import annotations

from pathlib import Path

import msgspec

from baker.errors import UsageError

FOLDER = Path(__file__).with_name("measured")
FORMAT = 1


class Seconds(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds from the start of the server to Ready, with an empty and with a kept cache of compiled kernels."""

    empty: float
    kept: float


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a smoke test.

    Attributes:
        format: FORMAT.
        service: the service.
        crate: its crate with the version.
        capability: that of the binary, as in "8.0".
        cuda: the toolkit that its PTX is from.
        device: what the words came from: cuda, or cpu.
        card: what nvidia-smi calls the card; empty without one.
        card_capability: the capability of the card, as in "8.6".
        driver: the version of the driver.
        memory: MiB of the card that the server held when it had answered; 0 where nvidia-smi does not say.
        ptx: the version and the targets of the PTX in the binary, as in "8.7 sm_80".
        words: what was heard.
        ready: how long it took.
        day: when, as in "2026-11-26".
    """

    format: int
    service: str
    crate: str
    capability: str
    cuda: str
    device: str
    card: str
    card_capability: str
    driver: str
    memory: int
    ptx: str
    words: tuple[str, ...]
    ready: Seconds
    day: str


def read(content: bytes, where: str) -> Measurement:
    """Return a measurement, or raise UsageError where it is none of this release."""
    try:
        found = msgspec.json.decode(content, type=Measurement)
    except msgspec.MsgspecError as error:
        raise UsageError(f"{where} is no measurement: {error}") from error
    if found.format != FORMAT:
        raise UsageError(f"{where} has format {found.format}, and this baker reads {FORMAT}")
    return found


def all_of(folder: Path = FOLDER) -> tuple[Measurement, ...]:
    """Return the results that this release has, those from a card alone, by card and service."""
    found = [read(path.read_bytes(), str(path)) for path in sorted(folder.glob("*.json"))]
    on_cards = [item for item in found if item.device == "cuda"]
    return tuple(sorted(on_cards, key=lambda item: (item.card_capability, item.card, item.service, item.day)))
