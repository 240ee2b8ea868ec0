"""What the next build will do, stage by stage, and why: the stages as they are, held against those made before."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from baker.buildkit.history import Entry
    from baker.dockerfile.stages import Stage

CACHED, BUILD, FOLLOWS, SETTINGS = "cached", "build", "follows", "settings"
NEW = "not built here before"
LIKELY = "probably in the builder's cache"
DROPPED = "the builder has dropped it from its cache"
LONGEST = 100
GENERATED = ("dockerfiles/files/", "image.env", "image-builder.env")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What will become of a stage.

    `state` is cached; build; follows, which is built only when the stages that it takes files from come out other than
    before; or settings, when only an image's labels, environment or command change. `seconds` is what the stage took
    the last time that it was made or, when it was never made here, what estimate.py expects; 0 where nobody knows.
    `download` and `disk` are the bytes that making it is expected to take; `shipped` says that all this is from the
    figures of the release.
    """

    stage: str
    state: str
    why: tuple[str, ...]
    seconds: float
    download: int = 0
    disk: int = 0
    shipped: bool = False

    @property
    def work(self) -> bool:
        """Whether it has to be made, as far as anybody can tell before."""
        return self.state in (BUILD, FOLLOWS) and not self.likely

    @property
    def likely(self) -> bool:
        """Whether another project has probably made it with the same builder."""
        return self.why == (LIKELY,)


def forecast(
    stages: Sequence[Stage],
    targets: Collection[str],
    made: Sequence[Entry],
    labels: Collection[str],
    kept: Collection[str] | None = None,
) -> tuple[Outlook, ...]:
    """Say of each stage what the next build does with it.

    Args:
        stages: in the Dockerfile's order, each after those that it is made from.
        targets: the stages that become images.
        made: what this builder has made, newest first.
        labels: digests of stages that the labels of this engine's images name.
        kept: the stages whose layers are still in the builder's cache; None where it was not asked.
    """
    found: dict[str, Outlook] = {}
    for stage in stages:
        last = next((entry.stage for entry in made if entry.stage.name == stage.name), None)
        moved = [name for name in stage.sources if found[name].state in (BUILD, FOLLOWS)]
        parent = found.get(stage.parent)
        changes = tuple(_changes(stage, last)) if last else (NEW,)
        state, why = BUILD, changes
        if stage.layers in labels or any(entry.stage.layers == stage.layers for entry in made):
            same = stage.whole in labels or any(entry.stage.whole == stage.whole for entry in made)
            state, why = (CACHED, ()) if same or stage.name not in targets else (SETTINGS, changes)
        elif parent and parent.state == BUILD:
            why = (*changes, f"its parent {parent.stage}") if last else changes
        elif any(entry.stage.own == stage.own for entry in made):
            if parent and parent.state == FOLLOWS:
                moved.append(parent.stage)
            if last and stage.image and stage.image != last.image:
                moved.append(stage.image)
            if moved:
                state, why = FOLLOWS, (f"if {' or '.join(moved)} comes out different",)
        seconds = next((entry.seconds for entry in made if entry.stage.name == stage.name and entry.seconds), 0.0)
        why = why or ("not built from these stages before",) if state != CACHED else ()
        found[stage.name] = Outlook(stage=stage.name, state=state, why=why, seconds=seconds)
    if kept is not None:
        _drop(found, stages, targets, kept)
    return tuple(found.values())


def _drop(found: dict[str, Outlook], stages: Sequence[Stage], targets: Collection[str], kept: Collection[str]) -> None:
    """Mark what the builder has dropped as to be built, where something needs it that is to be built itself."""
    by_name = {stage.name: stage for stage in stages}
    queue, seen = [name for name in targets if name in by_name], set[str]()
    while queue:
        name = queue.pop()
        if name in seen:
            continue
        seen.add(name)
        if found[name].state in (CACHED, SETTINGS):
            if name in kept:
                continue
            found[name] = replace(found[name], state=BUILD, why=(DROPPED,))
        queue += [source for source in (*by_name[name].sources, by_name[name].parent) if source in by_name]


def _changes(stage: Stage, last: Stage) -> Iterator[str]:
    """Yield what is new in a stage since it was last made: versions, files, and words of instructions."""
    old, new = dict(last.inputs), dict(stage.inputs)
    names = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    versions = [name for name in names if "/" not in name]
    yield from (f"{name} {old.get(name, 'none')} → {new.get(name, 'none')}" for name in versions)
    files = [name for name in names if "/" in name]
    written = [name for name in files if not name.endswith(GENERATED) and not name.startswith(GENERATED)]
    # A lock that differs is told by the versions in it, a generated file by what it was generated from.
    told = any(name.startswith("pins: ") for name in versions)
    yield from (name for name in written if not (told and name.endswith("uv.lock")))
    words = [text for text in _words(last.instructions, stage.instructions) if not _told(text, versions, old, new)]
    yield from words
    if not (versions or written or words):
        yield from files


def _told(text: str, versions: Sequence[str], old: dict[str, str], new: dict[str, str]) -> bool:
    """Whether a changed word is one of the changed versions, or a checksum beside it."""
    values = [value for name in versions for value in (old.get(name), new.get(name)) if value]
    return bool(versions) and (any(value in text for value in values) or bool(SHA256.search(text)))


def _words(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """Yield "RUN: + vim", "ENV: A=1 → A=2" for the words of instructions that differ."""
    lines = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    for what, start, end, begin, stop in lines.get_opcodes():
        if what == "equal":
            continue
        before, after = " ".join(old[start:end]).split(), " ".join(new[begin:stop]).split()
        keyword = (after or before)[0]
        for change, a, b, c, d in difflib.SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
            gone, come = _short(before[a:b]), _short(after[c:d])
            if change == "insert":
                yield f"{keyword}: + {come}"
            elif change == "delete":
                yield f"{keyword}: - {gone}"
            elif change == "replace":
                yield f"{keyword}: {gone} → {come}"


def _short(words: Sequence[str]) -> str:
    text = " ".join(word for word in words if word != "\\")
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
