"""Units that people read and write: sizes in bytes, ages and durations."""

from __future__ import annotations

import re

from baker.errors import UsageError

KILOBYTE, MEGABYTE, GIGABYTE, TERABYTE = 10**3, 10**6, 10**9, 10**12
SIZES = {"B": 1, "kB": KILOBYTE, "MB": MEGABYTE, "GB": GIGABYTE, "TB": TERABYTE}
# What programs print in units of 1024.
BINARY = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
# No more digits than a float has.
SIZE = r"([0-9]{1,15}(?:\.[0-9]{1,15})?) ?([kMGT]?B)"
# Hours in each unit of an age.
AGES = {"s": 1 / 3600, "m": 1 / 60, "h": 1, "d": 24, "w": 168}


def size(text: str, where: str) -> int:
    """Return the bytes of a size such as "1.35 GB" or "20GB", in units of a thousand. `where` begins the message.

    Raises:
        UsageError: the text is no size.
    """
    match = re.fullmatch(SIZE, text)
    if not match:
        raise UsageError(f"{where}: {text!r} is no size; write it as in '1.35 GB'")
    return round(float(match[1]) * SIZES[match[2]])


def age(text: str, where: str) -> float:
    """Return the hours of an age such as "7d", "12h", "2w". `where` begins the message.

    Raises:
        UsageError: the text is no age.
    """
    match = re.fullmatch(r"([0-9]+)([smhdw])", text)
    if not match:
        raise UsageError(f"{where}: {text!r} is no age; write it as in '12h', '7d' or '2w'")
    return int(match[1]) * AGES[match[2]]


def duration(seconds: float) -> str:
    """Return seconds as people say them."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{seconds:.1f} s"


def rounded(seconds: float) -> str:
    """Return a number of seconds that is only known roughly: "30 s", "4 min", "1 h 20 min"."""
    nearest = 5 * round(seconds / 5)
    if nearest < 60:  # noqa: PLR2004 - a minute
        return f"{max(5, nearest)} s"
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02} min" if hours else f"{minutes} min"
