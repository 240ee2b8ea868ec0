"""How much a builder keeps of its cache: its garbage collection drops the stages of a build that is larger, at once."""

from __future__ import annotations

import re

from baker.system.units import BINARY, GIGABYTE

HINT = (
    'raise "builder": {"gc": {"defaultKeepStorage": "60GB"}} in the engine\'s daemon.json and restart it; for a '
    "builder of its own, gckeepstorage in its buildkitd.toml"
)


def kept(told: str) -> int:
    """Return the bytes that a builder keeps, from what `buildx inspect` says; 0 where it keeps all that the disk takes.

    Its last rule is for all of the cache. BuildKit before 0.17 calls the limit "Keep Bytes"; later ones drop what is
    over "Max Used Space", or where they have no such rule, over "Reserved Space"
    (https://docs.docker.com/build/cache/garbage-collection/). With several nodes, the one that keeps the least counts.
    """
    limits = []
    for node in re.split(r"^Name: ", told, flags=re.MULTILINE):
        rules = node.split("GC Policy rule#")[1:]
        if rules and (limit := _limit(rules[-1])):
            limits.append(limit)
    return min(limits, default=0)


def warning(kept_bytes: int, needed: int) -> str:
    """Return what to say of a builder that keeps less than the stages of a build take, or nothing."""
    if not kept_bytes or kept_bytes >= needed:
        return ""
    return (
        f"this builder keeps {kept_bytes / GIGABYTE:.1f} GB of build cache, and the stages of a build take about "
        f"{needed / GIGABYTE:.0f} GB: it drops finished stages, and the next build compiles them again; {HINT}"
    )


def _limit(rule: str) -> int:
    lines = re.findall(r"^ *([A-Z][A-Za-z ]+): +(\S+)", rule, re.MULTILINE)
    sizes = {name: _bytes(size) for name, size in lines}
    if "Max Used Space" in sizes:
        return sizes["Max Used Space"]
    # A builder that only keeps some space free uses all the rest.
    return sizes.get("Keep Bytes", 0) or (0 if "Min Free Space" in sizes else sizes.get("Reserved Space", 0))


def _bytes(size: str) -> int:
    found = re.fullmatch(r"([0-9.]+)([KMGT]?i?B)", size)
    return int(float(found[1]) * BINARY.get(found[2], 0)) if found else 0
