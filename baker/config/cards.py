"""Compute capabilities and CUDA toolkits, as settings and options name them, checked against the table of cards."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from baker.config.cardtable import dotted, table
from baker.errors import UsageError
from baker.system.suggestion import closest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# The toolkit that the base has.
OWN = "auto"
CARDS = "the list of cards: docs/cards.md"
_NUMBER = re.compile("([0-9]{1,2})[.]?([0-9])")
# Names of architectures: sm_86, compute_90, and 9.0a, 10.0f, which are for one architecture or one family only.
_ARCHITECTURE = re.compile("(?:sm|compute)_?([0-9]{2,3})([af]?)|([0-9]{1,2})[.]?([0-9])([af])")


def parse_capabilities(words: Iterable[str], where: str) -> tuple[int, ...]:
    """Return compute capabilities as sorted whole numbers, from "8.0", "80" or comma-separated lists of those.

    Raises:
        UsageError: there is no such capability, or no toolkit of ours has it.
    """
    return tuple(sorted({capability(word.strip(), where) for word in ",".join(words).split(",")}))


def parse_cuda(word: str, where: str) -> str:
    """Return a CUDA release, or "auto" for the one that the base has, or raise UsageError."""
    legal = (OWN, *table().toolkits)
    if word not in legal:
        raise UsageError(f"{where}: unknown value {word!r}; {closest(word, legal)}")
    return word


def toolkit(version: str, cudarc: str = "") -> str:
    """Return the X.Y of a CUDA toolkit that a crate builds with, or raise UsageError.

    Args:
        version: the toolkit's.
        cudarc: that of the crate's Cargo.lock; empty is the one that moshi-server is published with.
    """
    known = table()
    locked, short = cudarc or known.published_cudarc, _short(version)
    if not known.builds(short, locked):
        legal = ", ".join(release for release in known.toolkits if known.builds(release, locked))
        whose = "the crate's lock holds" if cudarc else "moshi-server's lock holds"
        raise UsageError(f"CUDA {version}: cudarc {locked}, which {whose}, builds with {legal} only; take one of those")
    return short


def check(
    capabilities: Iterable[int], base: str, cuda: Mapping[str, str], wheels: Mapping[str, int] = MappingProxyType({})
) -> None:
    """Check that the toolkit of a base knows some capabilities.

    Args:
        capabilities: whole numbers, 80 is 8.0.
        base: the base of the build.
        cuda: the CUDA release of each base.
        wheels: the least capability of each CUDA release that comes from wheels.

    Raises:
        UsageError: it does not; the message says which base or toolkit does.
    """
    known = table().compiles(_short(cuda[base]))
    for number in capabilities:
        if number in known:
            continue
        others = [name for name in cuda if number in _builds(cuda[name])]
        packed = [release for release, least in wheels.items() if number in _from(least, release)]
        if others:
            way = f"--base {others[0]} has CUDA {cuda[others[0]]}, which does"
        elif packed:
            way = f"--cuda {packed[0]} does"
        else:
            newer = [release for release in table().toolkits if number in table().compiles(release)]
            way = f"CUDA {newer[0]} does, with which moshi-server does not build"
        raise UsageError(
            f"compute capability {dotted(number)}: the base {base} has CUDA {cuda[base]}, whose nvcc does not know it; "
            f"{way}; {_older(number, known)}"
        )


def check_wheels(capabilities: Iterable[int], release: str, least: int) -> None:
    """Check that what comes from wheels compiles for some capabilities.

    Args:
        capabilities: whole numbers, 80 is 8.0.
        release: the CUDA release.
        least: the least capability that the crate compiles for with it.

    Raises:
        UsageError: it does not; the message says what to do.
    """
    known = _from(least, release)
    for number in capabilities:
        if number < least:
            raise UsageError(
                f"compute capability {dotted(number)}: with CUDA {release} the crate compiles for {dotted(least)} and "
                f"newer only; for such cards leave out --cuda {release}, or name --compute-cap {dotted(least)} or newer"
            )
        if number not in known:
            raise UsageError(
                f"compute capability {dotted(number)}: the nvcc of CUDA {release} does not know it; "
                f"{_older(number, known)}"
            )


def capability(word: str, where: str) -> int:
    """Return a compute capability as a whole number, or raise UsageError."""
    match, named = _NUMBER.fullmatch(word), _ARCHITECTURE.fullmatch(word.lower())
    if match and (number := int("".join(match.groups()))) in table().capabilities:
        return number
    if named:
        digits = named[1] or named[3] + named[4]
        plain = f"{digits[:-1]}.{digits[-1]}"
        if named[2] or named[5]:
            raise UsageError(
                f"{where}: {word!r} is for one kind of card only, and baker makes binaries that run on newer ones too; "
                f"write it as in {plain!r}"
            )
        raise UsageError(f"{where}: {word!r} is no compute capability, but an architecture; write it as in {plain!r}")
    if match and int("".join(match.groups())) >= table().capabilities[0]:
        raise UsageError(
            f"{where}: {word!r} is no compute capability that a CUDA toolkit knows; there are "
            f"{', '.join(map(dotted, table().capabilities))} ({CARDS})"
        )
    raise UsageError(
        f"{where}: {word!r} is no compute capability from {dotted(table().capabilities[0])} on; write it as in '8.0', "
        f"'7.5,8.0' ({CARDS})"
    )


def driver_floor(release: str) -> str:
    """Return the oldest driver that takes the PTX of a toolkit."""
    return table().toolkits[release].driver


def ptx(release: str, capabilities: Iterable[int]) -> str:
    """Return the version and the targets of the PTX that a toolkit makes: "8.7 sm_75, 8.7 sm_80"."""
    return ", ".join(f"{table().toolkits[release].ptx} sm_{number}" for number in capabilities)


def refused() -> tuple[tuple[tuple[str, ...], str], ...]:
    """Return (names, why) of the cards that baker's images cannot run on."""
    return tuple((row.names, row.refused) for row in table().rows if row.refused)


def drivers(release: str = "") -> tuple[tuple[str, str], ...]:
    """Return (toolkit, least driver) of the toolkits that moshi-server builds with as it is published, oldest first.

    `release` is one that it builds with besides.
    """
    found = table()
    return tuple(
        (other, each.driver)
        for other, each in found.toolkits.items()
        if other == release or found.builds(other, found.published_cudarc)
    )


def _builds(version: str) -> tuple[int, ...]:
    """Return what moshi-server's published lock makes PTX for with a toolkit."""
    short = _short(version)
    return table().compiles(short) if table().builds(short, table().published_cudarc) else ()


def _from(least: int, release: str) -> tuple[int, ...]:
    """Return what a toolkit compiles for, from a capability on."""
    return tuple(number for number in table().compiles(release) if number >= least)


def _short(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _older(number: int, known: Iterable[int]) -> str:
    """Say which binary runs on a card too: PTX runs on newer cards, once their driver has compiled it."""
    below = [other for other in known if other < number]
    return f"a binary for {dotted(max(below))} runs on such a card too"
