"""Builds that come out the same, byte for byte, on every machine: one time for everything in an image."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from baker.errors import LockError

if TYPE_CHECKING:
    from baker.pins import DebianPin

# Of a time like "20261123T020933Z"
SNAPSHOT = "%Y%m%dT%H%M%S%z"


def epoch(pin: DebianPin) -> int:
    """Return the time that a reproducible build gives to everything, in seconds since 1970: that of the pins.

    Raises:
        LockError: nothing is pinned.
    """
    if not pin.snapshot:
        raise LockError("--reproducible takes its time from [debian] snapshot, which baker.lock has not: `baker lock`")
    return int(datetime.strptime(pin.snapshot, SNAPSHOT).astimezone(UTC).timestamp())
