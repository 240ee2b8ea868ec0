"""The table of cards and CUDA toolkits: cards.toml, read once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

from baker.config import model, toml
from baker.config.model import Table, about
from baker.errors import UsageError
from baker.system.suggestion import closest

FILE = Path(__file__).with_name("cards.toml")
# What nvidia-smi puts around the names that people use, and what they leave out.
_NOISE = {"nvidia", "geforce", "tesla"}
_NUMBERED = re.compile(r"\b(rtx|gtx)(?=[0-9])")


class Toolkit(Table, frozen=True, kw_only=True):
    """A CUDA toolkit."""

    driver: Annotated[str, about("The oldest Linux driver that takes its PTX.")]
    ptx: Annotated[str, about("The version of its PTX.")]
    cudarc: Annotated[str, about("The oldest cudarc that builds with it.")]


class Claim(Table, frozen=True, kw_only=True):
    """A figure that somebody else gives, and who."""

    what: str
    figure: str
    source: str


class Load(Table, frozen=True, kw_only=True):
    """Streams of speech-to-text that a card carried at once."""

    card: Annotated[str, about("What nvidia-smi calls it.")]
    cuda: str
    slots: Annotated[int, about("`batch_size` of the config.")]
    memory: Annotated[int, about("MiB of the card that the server held.")]
    streams: int
    kept: Annotated[int, about("How many of them were answered in real time.")]
    median: Annotated[float, about("Seconds from a frame of sound to its answer, for half of all.")]
    late: Annotated[float, about("Those of the slowest.")]
    day: str


class Row(Table, frozen=True, kw_only=True):
    """Cards of one capability in one kind of machine."""

    capability: str
    architecture: str
    names: tuple[str, ...] = ()
    platforms: tuple[str, ...]
    since: str
    until: str = ""
    refused: Annotated[str, about("Why baker's images cannot run there; else empty.")] = ""
    notes: str = ""

    @property
    def number(self) -> int:
        """The capability as a whole number: 80 is 8.0."""
        return int(self.capability.replace(".", ""))

    def compiled_by(self, release: str) -> bool:
        """Whether the nvcc of a toolkit makes PTX for it."""
        return version(self.since) <= version(release) and (not self.until or version(release) <= version(self.until))


class _File(Table, frozen=True, kw_only=True):
    default: str
    published: tuple[str, ...]
    bf16_from: str
    published_cudarc: str
    toolkits: dict[str, Toolkit]
    claims: tuple[Claim, ...]
    loads: tuple[Load, ...]
    cards: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class CardTable:
    """What cards.toml says. Capabilities are whole numbers: 80 is 8.0."""

    default: int
    published: tuple[int, ...]
    bf16_from: int
    published_cudarc: str
    toolkits: dict[str, Toolkit]
    claims: tuple[Claim, ...]
    loads: tuple[Load, ...]
    rows: tuple[Row, ...]

    @property
    def capabilities(self) -> tuple[int, ...]:
        """All capabilities that a toolkit of the table compiles for, sorted."""
        return tuple(sorted({number for release in self.toolkits for number in self.compiles(release)}))

    def compiles(self, release: str) -> tuple[int, ...]:
        """Return what the nvcc of a toolkit makes PTX for, sorted."""
        return tuple(sorted({row.number for row in self.rows if row.compiled_by(release)}))

    def builds(self, release: str, cudarc: str) -> bool:
        """Whether a cudarc builds with a toolkit."""
        found = self.toolkits.get(release)
        return found is not None and version(found.cudarc) <= version(cudarc)

    def row(self, capability: int, platform: str = "") -> Row | None:
        """Return the row of a capability, that of a platform before others."""
        found = [row for row in self.rows if row.number == capability]
        return next((row for row in found if platform in row.platforms), found[0] if found else None)

    def driver(self, capability: int, release: str) -> str:
        """Return the oldest driver with which a card runs PTX of a toolkit: it has to know the card too."""
        row = self.row(capability)
        drivers = [self.toolkits[release].driver]
        if row and row.since in self.toolkits:
            drivers.append(self.toolkits[row.since].driver)
        return max(drivers, key=version)

    def find(self, name: str) -> Row:
        """Return the row of a card by what people or nvidia-smi call it, or by its capability.

        Raises:
            UsageError: no card of the table is called like that.
        """
        if re.fullmatch(r"[0-9]{1,2}[.][0-9]", name.strip()):
            found = self.row(int(name.strip().replace(".", "")))
            if found:
                return found
        asked = _words(name)
        best: tuple[int, Row] | None = None
        for row in self.rows:
            for known in row.names:
                words = _words(known)
                if words <= asked and (best is None or len(words) > best[0]):
                    best = (len(words), row)
        if best is None:
            names = [known for row in self.rows for known in row.names]
            hint = closest(name, names, "docs/cards.md lists them, and its capability will do too, as in 8.6")
            raise UsageError(f"no card is called {name!r}; {hint}")
        return best[1]


@cache
def table() -> CardTable:
    """Return the table of this release."""
    found = model.read(_File, toml.read(FILE), str(FILE))
    return CardTable(
        default=_number(found.default),
        published=tuple(_number(each) for each in found.published),
        bf16_from=_number(found.bf16_from),
        published_cudarc=found.published_cudarc,
        toolkits=found.toolkits,
        claims=found.claims,
        loads=found.loads,
        rows=found.cards,
    )


def version(text: str) -> tuple[int, ...]:
    """Return a version of numbers and points, such as a driver's, to be compared."""
    return tuple(int(number) for number in text.split("."))


def dotted(capability: int) -> str:
    """Return a capability as people write it: 8.0 for 80."""
    return f"{capability // 10}.{capability % 10}"


def _number(capability: str) -> int:
    return int(capability.replace(".", ""))


def same(one: str, other: str) -> bool:
    """Whether two names are those of one card, as "NVIDIA H200" and "H200"."""
    return _words(one) == _words(other)


def _words(name: str) -> frozenset[str]:
    text = _NUMBERED.sub(r"\1 ", name.lower())
    return frozenset(re.findall(r"[a-z0-9]+", text)) - _NOISE
