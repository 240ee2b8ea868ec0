"""What baker's builds left in a builder's cache: told from everything else, shown, and removed when asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker.buildkit.builder import named
from baker.dockerfile.stages import LAYERING
from baker.errors import CommandError, EngineError
from baker.system import units

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from baker.buildkit.history import Entry
    from baker.dockerfile.stages import Stage
    from baker.engine.interface import Engine

HOURS = {"second": 1 / 3600, "minute": 1 / 60, "hour": 1, "day": 24, "week": 168, "month": 720, "year": 8760}
MOUNT = re.compile(r'^cached mount (?P<target>\S+) from exec .* with id "/(?P<id>baker-[^"]+)"$')
STEP = re.compile(r"^\[(?P<stage>[a-z0-9][\w.-]*) +\d+/\d+\] (?:LINK )?(?P<instruction>.*)$")
RUN = "mount / from exec /bin/sh -c "
# What BuildKit 0.8, of Docker 20.10, says of every COPY: there the last RUN of a stage has to tell.
NAMELESS = "fileop target"


@dataclass(frozen=True, kw_only=True)
class Record:
    """A record of the builder's cache. `size` is in bytes, `age` the hours since it was last used.

    `kind` is mount, for a cache mount, or layer; `name` is the mount's id, or the stage. What is `shared` is part of
    something else too, as of an image: that stays when the record is removed, and with it the room that it takes.
    """

    id: str
    parent: str
    kind: str
    name: str
    size: int
    age: float
    shared: bool


def records(engine: Engine, builder: str, made: Sequence[Entry]) -> tuple[Record, ...]:
    """Return what baker made of the builder's cache, largest first. What cannot be proven to be baker's is left out.

    Cache mounts are known by their ids, layers by the instructions of stages that the ledger has. What a build is using
    is left out as well.
    """
    told = _told(engine, builder)
    steps = {(entry.stage.name, text) for entry in made for text in entry.stage.instructions}
    runs = {_command(text): stage for (stage, text) in sorted(steps, reverse=True) if text.startswith("RUN ")}
    found = (_record(block, steps, runs) for block in told.split("\n\n"))
    return tuple(sorted((item for item in found if item), key=lambda item: (-item.size, item.id)))


def kept(engine: Engine, builder: str, stages: Sequence[Stage]) -> frozenset[str]:
    """Return the names of stages whose last layer is in the builder's cache; a stage without a layer needs none.

    Raises:
        EngineError: the builder does not say.
    """
    told = re.findall(r"^Description:\s*(.*)$", _told(engine, builder), re.MULTILINE)
    commands = {_plain(text.removeprefix(RUN)) for text in told if text.startswith(RUN)}
    steps = {(step["stage"], _plain(step["instruction"])) for step in map(STEP.match, told) if step}

    def has(stage: Stage) -> bool:
        telling = "RUN " if NAMELESS in told else LAYERING
        last = next((text for text in reversed(stage.instructions) if text.startswith(telling)), "")
        return not last or (stage.name, last) in steps or (last.startswith("RUN ") and _command(last) in commands)

    return frozenset(stage.name for stage in stages if has(stage))


def doomed(found: Sequence[Record], *, older: float, keep: int) -> tuple[Record, ...]:
    """Return what to remove, oldest first: what was used `older` hours ago or before, until `keep` bytes are left."""
    left = sum(item.size for item in found)
    chosen = []
    for item in sorted(found, key=lambda item: (-item.age, -item.size)):
        if item.age >= older and (not keep or left > keep):
            chosen.append(item)
            left -= item.size
    return tuple(chosen)


def remove(engine: Engine, builder: str, chosen: Sequence[Record]) -> tuple[Record, ...]:
    """Remove records by their ids, those that others stand on last, and return what has gone."""
    waiting, gone = list(chosen), []
    while waiting:
        parents = {item.parent for item in waiting}
        leaves = [item for item in waiting if item.id not in parents] or waiting
        for item in leaves:
            told = engine.command("buildx", "prune", "--all", "--force", *named(builder), f"--filter=id={item.id}")
            if item.id in told:
                gone.append(item)
        waiting = [item for item in waiting if item not in leaves]
    return tuple(gone)


def _told(engine: Engine, builder: str) -> str:
    try:
        return engine.command("buildx", "du", "--verbose", *named(builder))
    except CommandError as error:
        raise EngineError(f"the builder does not say what is in its cache: {error.tail}") from error


def _record(block: str, steps: Collection[tuple[str, str]], runs: Mapping[str, str]) -> Record | None:
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in block.splitlines())}
    known = _known(fields.get("Description", ""), steps, runs)
    if known is None or fields.get("Reclaimable") != "true":
        return None
    return Record(
        id=fields["ID"].rstrip("*"),
        parent=fields.get("Parent", ""),
        kind=known[0],
        name=known[1],
        size=units.size(fields["Size"], "docker buildx du"),
        age=_age(fields.get("Last used", "")),
        shared=fields.get("Shared") == "true",
    )


def _known(description: str, steps: Collection[tuple[str, str]], runs: Mapping[str, str]) -> tuple[str, str] | None:
    """Return (kind, name) of a record that baker made, by what BuildKit says of it.

    `steps` are (stage, instruction), `runs` the stage of each RUN's command.
    """
    if mount := MOUNT.match(description):
        return "mount", mount["id"]
    if step := STEP.match(description):
        return ("layer", step["stage"]) if (step["stage"], _plain(step["instruction"])) in steps else None
    stage = runs.get(_plain(description.removeprefix(RUN))) if description.startswith(RUN) else None
    return ("layer", stage) if stage else None


def _plain(text: str) -> str:
    return " ".join(text.split())


def _command(instruction: str) -> str:
    """Return the command of a RUN, without its flags."""
    return _plain(re.sub(r"^(--\S+ )+", "", instruction.removeprefix("RUN ")))


def _age(text: str) -> float:
    """Return the hours of "3 days ago", "About an hour ago", "Less than a second ago"; never used is very long ago."""
    match = re.search(r"(\d+|an?) (second|minute|hour|day|week|month|year)", text)
    if not match:
        return float("inf")
    return (int(match[1]) if match[1].isdigit() else 1) * HOURS[match[2]]
