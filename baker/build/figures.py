"""Shipped figures: what each stage of a first build took on one machine, for machines that have built nothing yet."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Annotated

from msgspec import Meta

from baker.config import model, toml
from baker.config.model import Table

NAME = "figures.toml"
Seconds = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]


class Figure(Table, frozen=True, kw_only=True):
    """What a stage took.

    Attributes:
        seconds: in which its steps ran, beside the stages that run at the same time.
        parallel: the share of these seconds that more cores make shorter.
        download: bytes.
        disk: bytes that the stage's layers, and the cache mounts that it fills, take in the builder's cache.
        finish: seconds in which the image of the stage is exported and verified.
        store: bytes that its layers take in the image store beside that.
    """

    seconds: Seconds = 0
    parallel: Annotated[float, Meta(ge=0, le=1)] = 0
    download: Count = 0
    disk: Count = 0
    finish: Seconds = 0
    store: Count = 0


class Shipped(Table, frozen=True, kw_only=True):
    """All figures of a release.

    Attributes:
        cores: of the machine that they were measured on.
        measured: when and with what, for people.
        stages: figures by "BASE-ACCEL", with the CUDA release where that comes from wheels, then by stage. A name may
            end with "*"; the longest name that fits counts.
    """

    cores: Annotated[int, Meta(ge=1)]
    measured: str
    stages: dict[str, dict[str, Figure]]

    @property
    def room(self) -> int:
        """The bytes of disk that a first build of everything takes, on the base that takes most."""
        return max(sum(each.disk + each.store for each in table.values()) for table in self.stages.values())

    def cache(self, accel: str) -> int:
        """The bytes that all stages of the release's images take in a builder, on the base that takes most."""
        return max(
            sum(each.disk for each in self._stages(table, accel).values())
            for table in self.stages
            if table.endswith(f"-{accel}")
        )

    def _stages(self, table: str, accel: str) -> dict[str, Figure]:
        """Return the stages of a base, with those that another table has for it."""
        lending = () if WHEELS.search(table) else [other for other in self.stages if not WHEELS.search(other)]
        found = {
            stage: figure
            for other in lending
            for stage, figure in self.stages[other].items()
            if stage.partition("-")[0] in ANYWHERE and (accel == "cuda" or not ONLY_CUDA.match(stage))
        }
        return found | self.stages[table]

    def of(self, stage: str, base: str, accel: str) -> Figure | None:
        """Return the figures of a stage; None where nothing like it was measured.

        What does not depend on base or accel was measured once: another table has it then.
        """
        first = f"{base}-{accel}"
        for table in sorted(self.stages, key=lambda name: (name != first, not name.endswith(accel), name)):
            fitting = [name for name in self.stages[table] if fnmatchcase(stage, name)]
            if fitting and (table == first or stage.partition("-")[0] in ANYWHERE):
                return self.stages[table][max(fitting, key=len)]
        return None


# Stages of these kinds do the same work on each base.
ANYWHERE = ("crate", "binary", "libraries", "tool", "venv")
# And these are in no build without CUDA.
ONLY_CUDA = re.compile(r"libraries-|binary-.*-cuda-")
# The table of a toolkit from wheels: it has all stages of its builds, and they are in no other build.
WHEELS = re.compile("-cuda[0-9]")


def scaled(figure: Figure, measured: int, cores: int) -> float:
    """Return a stage's seconds on a machine with other cores; 0 cores are as many as measured."""
    share = figure.parallel * (measured / cores if cores else 1)
    return figure.seconds * (1 - figure.parallel + share)


@cache
def shipped() -> Shipped:
    """Return the figures of this release."""
    content = (resources.files("baker.build") / NAME).read_bytes()
    return model.read(Shipped, toml.parse(content, NAME), NAME)
