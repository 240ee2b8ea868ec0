"""The cards of this machine, as nvidia-smi tells of them."""

from __future__ import annotations

import json
import platform
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker.config import platforms
from baker.config.cardtable import table
from baker.errors import CommandError, UsageError
from baker.system import process

if TYPE_CHECKING:
    from collections.abc import Mapping

    from baker.engine.interface import Engine

FIELDS = "name,compute_cap,driver_version,memory.total"
RUNTIME = "nvidia"
# What `docker run --gpus all` asks the engine for.
ALL_CARDS = {"Driver": "", "Count": -1, "DeviceIDs": [], "Capabilities": [["gpu"]], "Options": {}}


@dataclass(frozen=True, kw_only=True)
class Card:
    """A card in a machine.

    `capability` is a whole number, 80 is 8.0; 0 where nobody knows it. `driver` is empty and `memory`, in MiB, is 0
    where they are not known: Jetson and Grace share the machine's memory, and nvidia-smi says none.
    """

    name: str
    capability: int
    driver: str
    memory: int
    platform: str


def here(environment: Mapping[str, str]) -> tuple[Card, ...]:
    """Return the cards of this machine.

    Raises:
        CommandError: there is no nvidia-smi, or it fails.
    """
    query = ["nvidia-smi", f"--query-gpu={FIELDS}", "--format=csv,noheader,nounits"]
    return read(process.capture(query, env=environment), platforms.of_machine(platform.machine()).name)


def given(engine: Engine) -> bool:
    """Whether a container can be given a card: the engine knows NVIDIA's runtime, or there is a card here."""
    if RUNTIME in (json.loads(engine.command("info", "--format", "{{json .Runtimes}}")) or {}):
        return True
    with suppress(CommandError):
        return bool(here(engine.environment))
    return False


def read(listing: str, machine: str) -> tuple[Card, ...]:
    """Return the cards of what nvidia-smi printed on a machine of a platform."""
    found = []
    for line in listing.strip().splitlines():
        name, capability, driver, memory = (part.strip() for part in line.rsplit(",", maxsplit=3))
        number = int(capability.replace(".", "")) if re.fullmatch(r"[0-9]+\.[0-9]", capability) else 0
        if not number:
            # As on Jetson, where a name is all there is.
            with suppress(UsageError):
                number = table().find(name).number
        found.append(
            Card(
                name=name,
                capability=number,
                driver=driver if re.fullmatch(r"[0-9]+(\.[0-9]+)*", driver) else "",
                memory=int(memory) if memory.isdecimal() else 0,
                platform=machine,
            )
        )
    return tuple(found)


def named(name: str, driver: str) -> Card:
    """Return a card of the table, by what people call it.

    Raises:
        UsageError: no card is called like that, or the driver is no version.
    """
    row = table().find(name)
    if driver and not re.fullmatch(r"[0-9]+(\.[0-9]+)*", driver):
        raise UsageError(f"--driver {driver}: write its version, as nvidia-smi shows it: 570.86.15")
    return Card(name=name, capability=row.number, driver=driver, memory=0, platform=row.platforms[0])
