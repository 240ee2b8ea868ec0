"""Cards: those of this machine, what they run, and whether a container sees them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from baker.build import fit, hostcards
from baker.doctor.finding import MISSING, NOTE, OK, Finding, Fix
from baker.engine import containers
from baker.errors import BakerError, CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from baker.build.hostcards import Card
    from baker.config.pins import Pins
    from baker.engine.interface import Engine

GUIDE = "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/install-guide.html"
RESTART = "tell the engine of NVIDIA's runtime, and restart it, which ends running containers"
ENVIRONMENT = {"NVIDIA_VISIBLE_DEVICES": "all", "NVIDIA_DRIVER_CAPABILITIES": "compute,utility"}


def look(engine: Engine, pins: Pins | None, images: Sequence[str]) -> tuple[Finding, ...]:
    """Look at the cards, and try one in a container of the first of some images that is here."""
    try:
        cards = hostcards.here(engine.environment)
    except CommandError:
        detail = "no NVIDIA driver here: images can be built, and run with --cpu"
        return (Finding(name="card", state=NOTE, detail=detail),)
    if not cards:
        return (Finding(name="card", state=NOTE, detail="nvidia-smi lists no card"),)
    return (card(cards, pins), toolkit(engine, images))


def card(cards: Sequence[Card], pins: Pins | None) -> Finding:
    """Say what the cards run."""
    if pins is None:
        return Finding(name="card", state=OK, detail="; ".join(each.name for each in cards))
    found = fit.fit(tuple(cards), (), pins)
    detail = "; ".join(found.cards)
    if not found.build:
        return Finding(name="card", state=NOTE, detail=f"{detail}: no image of baker's runs there; see `baker fit`")
    return Finding(name="card", state=OK, detail=f"{detail}: {found.build}; see `baker fit`")


def toolkit(engine: Engine, images: Sequence[str]) -> Finding:
    """See whether a container gets the card: the container toolkit puts nvidia-smi into it."""
    image = next((name for name in images if engine.ids((name,))), None)
    if image is None:
        detail = "not tried, since there is no image here to start: run `baker build`, and look again"
        return Finding(name="container toolkit", state=NOTE, detail=detail)
    options: dict[str, Any] = {
        "entrypoint": "nvidia-smi",
        "environment": ENVIRONMENT,
        "device_requests": [hostcards.ALL_CARDS],
        "network_mode": "none",
    }
    try:
        seen = containers.run_once(engine, image, ["--list-gpus"], **options).strip().splitlines()
    except BakerError as error:
        why = (error.tail if isinstance(error, CommandError) else str(error)).strip().splitlines()[-1:]
        detail = f"a container does not get the card ({''.join(why)}): install the toolkit, {GUIDE}"
        return Finding(name="container toolkit", state=MISSING, detail=detail, fix=_configure(engine.environment))
    return Finding(name="container toolkit", state=OK, detail=f"a container sees {len(seen)} of the cards")


def _configure(environment: Mapping[str, str]) -> Fix | None:
    """Return how to configure a toolkit that is installed; installing one needs NVIDIA's package archive."""
    path = environment.get("PATH")
    if not all(shutil.which(name, path=path) for name in ("nvidia-ctk", "sudo", "systemctl")):
        return None
    commands = (
        ("sudo", "nvidia-ctk", "runtime", "configure", "--runtime=docker"),
        ("sudo", "systemctl", "restart", "docker"),
    )
    return Fix(what=RESTART, commands=commands)
