"""The ledger: which stages builds have made, and how long each took. Kept in .baker/ledger.json, newest first."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from baker.dockerfile.stages import Stage
from baker.system import files

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from baker.buildkit.bake import StageTime

NAME = "ledger.json"
KEPT = 8


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A stage that was made. `builder` says by whom; `seconds` is 0 when nobody saw it being made."""

    builder: str
    seconds: float
    stage: Stage


def read(state: Path) -> tuple[Entry, ...]:
    """Return all entries; none where the file is missing or damaged, since it only saves looking."""
    try:
        found = json.loads((state / NAME).read_text(encoding="utf-8"))
        return tuple(Entry(**{**item, "stage": _stage(item["stage"])}) for item in found)
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def record(state: Path, builder: str, made: Iterable[Stage], times: Sequence[StageTime]) -> None:
    """Put stages that were made, or found in the builder's cache, at the top; a few of each name are kept."""
    seconds = {time.name: time.seconds for time in times if not time.cached}
    before = read(state)
    known = {(entry.builder, entry.stage.name, entry.stage.layers): entry.seconds for entry in reversed(before)}
    entries = [
        Entry(
            builder=builder,
            seconds=seconds.get(stage.name) or known.get((builder, stage.name, stage.layers), 0.0),
            stage=stage,
        )
        for stage in made
    ]
    newest: dict[tuple[str, str], dict[str, Entry]] = {}
    for entry in (*entries, *before):
        newest.setdefault((entry.builder, entry.stage.name), {}).setdefault(entry.stage.whole, entry)
    kept = [entry for same in newest.values() for entry in list(same.values())[:KEPT]]
    state.mkdir(parents=True, exist_ok=True)
    files.write_atomically(state / NAME, json.dumps([asdict(entry) for entry in kept], indent=1) + "\n")


def _stage(item: dict[str, Any]) -> Stage:
    """Return a stage from JSON, which has lists where the stage has tuples."""
    inputs = tuple((name, value) for name, value in item["inputs"])
    words = {key: tuple(item[key]) for key in ("sources", "instructions")}
    return Stage(**{**item, **words, "inputs": inputs})
