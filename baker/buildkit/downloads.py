"""How much a stage has downloaded, by what apt, uv, pip and cargo print."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from baker.system.units import BINARY, SIZES

UNITS = SIZES | BINARY
_SIZE = r"(?P<number>\d+(?:\.\d+)?) ?(?P<unit>[kKMG]?i?B)"
# "Fetched 209 MB in 1s (181 MB/s)" of apt, "Downloaded 12 crates (1.2 MB) in 3s" of cargo
WHOLE = re.compile(rf"^(?:Fetched {_SIZE} in |Downloaded \d+ crates? \({_SIZE.replace('?P<', '?P<cargo_')}\))")
# "Downloading torch (858.1MiB)" of uv, which says "Downloaded torch" when it is there; pip says only the first.
BEGUN = re.compile(rf"^Downloading (?P<name>\S+) \({_SIZE}\)$")
ENDED = re.compile(r"^Downloaded (?P<name>\S+)$")


@dataclass
class Downloads:
    """What a stage's lines say of its downloads. uv says nothing of files under 1 MiB."""

    whole: int = 0
    announced: dict[str, int] = field(default_factory=dict)
    arrived: set[str] = field(default_factory=set)

    def read(self, line: str) -> None:
        """Take a line of a step's output."""
        text = line.strip()
        if found := WHOLE.match(text):
            number, unit = found["number"] or found["cargo_number"], found["unit"] or found["cargo_unit"]
            self.whole += _bytes(number, unit)
        elif found := BEGUN.match(text):
            # After a failure uv fetches a file once more: it counts once.
            self.announced[found["name"]] = _bytes(found["number"], found["unit"])
            if found["name"].endswith((".whl", ".gz")):
                self.arrived.add(found["name"])
        elif found := ENDED.match(text):
            self.arrived.add(found["name"])

    @property
    def total(self) -> int:
        """The bytes that have arrived."""
        return self.whole + sum(size for name, size in self.announced.items() if name in self.arrived)


def _bytes(number: str, unit: str) -> int:
    return round(float(number) * UNITS[unit])
