"""Builds that come out the same, byte for byte, on every machine: one time for everything in an image."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from baker import build
from baker.errors import EngineError, LockError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baker.engine import Engine
    from baker.pins import DebianPin

# Of a time like "20261123T020933Z"
SNAPSHOT = "%Y%m%dT%H%M%S%z"
# The image exporter learned rewrite-timestamp in BuildKit 0.13.
REWRITES = build.Since(docker=(26, 0), buildkit=(0, 13))


def epoch(pin: DebianPin) -> int:
    """Return the time that a reproducible build gives to everything, in seconds since 1970: that of the pins.

    Raises:
        LockError: nothing is pinned.
    """
    if not pin.snapshot:
        raise LockError("--reproducible takes its time from [debian] snapshot, which baker.lock has not: `baker lock`")
    return int(datetime.strptime(pin.snapshot, SNAPSHOT).astimezone(UTC).timestamp())


def require(builders: Sequence[str], here: Engine) -> None:
    """Raise EngineError unless builders and image store can write a time of our own into layers."""
    for builder in builders or ("",):
        _require(builder, here)


def _require(builder: str, here: Engine) -> None:
    driver, since = build.driver(builder, here.version, REWRITES)
    if not since:
        raise EngineError(
            "--reproducible needs Docker 26 or BuildKit 0.13, which write a build's own time into layers; "
            "this one is older: update it, or name another with --builder"
        )
    if driver == "docker" and not here.containerd_store:
        raise EngineError(
            '--reproducible needs the containerd image store: put "features": {"containerd-snapshotter": true} into '
            "the engine's daemon.json and restart it, or name another builder with --builder"
        )
