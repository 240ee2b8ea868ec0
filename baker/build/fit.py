"""What a card and its driver run: which image to take, and what to build with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from baker.config import measured, values
from baker.config.cardtable import dotted, same, table, version
from baker.dockerfile import labels
from baker.registry.references import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from baker.build.hostcards import Card
    from baker.config.cardtable import Row
    from baker.config.pins import Pins
    from baker.registry.client import Registries, Repository

# Tags of a repository that are no images: cosign's signatures and statements.
ATTACHED = re.compile(r"sha256-[0-9a-f]{64}(\..*)?")
MOST_TAGS = 200


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether an image runs on some cards, and why or why not.

    `rank` orders images that run: by version, capability and toolkit.
    """

    reference: str
    runs: bool
    why: str
    rank: tuple[tuple[int, ...], int, tuple[int, ...]] = ((), 0, ())


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What some cards run.

    Attributes:
        cards: the cards, for people.
        toolkits: the CUDA releases whose PTX runs on all of them; by the capability alone where the driver is unknown.
        build: what `baker build` is given; empty where nothing can be built.
        images: verdicts on the images that were asked for.
        take: the best of them; empty where none runs.
        notes: what else there is to know.
    """

    cards: tuple[str, ...]
    toolkits: tuple[str, ...]
    build: str
    images: tuple[Verdict, ...]
    take: str
    notes: tuple[str, ...]


def fit(cards: Sequence[Card], images: Iterable[Verdict], pins: Pins) -> Fit:
    """Return what cards of one machine run, all of them; there is at least one."""
    verdicts = tuple(images)
    runs = [item for item in verdicts if item.runs]
    toolkits = tuple(release for release in table().toolkits if all(not _obstacle(card, release) for card in cards))
    refused = [note for card in cards if (row := _row(card)) and (note := row.refused)]
    return Fit(
        cards=tuple(_shown(card) for card in cards),
        toolkits=() if refused else toolkits,
        build="" if refused else _build(cards, toolkits, pins),
        images=verdicts,
        take=max(runs, key=lambda item: item.rank).reference if runs else "",
        notes=tuple(dict.fromkeys(_notes(cards))),
    )


def judge(cards: Sequence[Card], reference: str, said: Mapping[str, str], architecture: str) -> Verdict:
    """Return whether an image runs on all of some cards, by its labels and the architecture in its config."""
    capabilities = [int(word) for word in said.get(labels.CAPABILITIES, "").split()]
    release, floor = said.get(labels.CUDA, ""), said.get(labels.DRIVER_FLOOR, "")
    why = ""
    if labels.SERVICE not in said:
        why = "it has no labels of baker's"
    elif any(card.platform != f"linux/{architecture}" for card in cards):
        why = f"it is for linux/{architecture}, and the machine is {cards[0].platform}"
    elif not capabilities:
        why = "it has no GPU code: it runs on the CPU alone"
    why = why or next(filter(None, (_against(card, capabilities, release, floor) for card in cards)), "")
    if why:
        return Verdict(reference=reference, runs=False, why=why)
    number = max(number for number in capabilities if all(number <= card.capability for card in cards))
    return Verdict(
        reference=reference,
        runs=True,
        why=f"with its binary for {dotted(number)}; CUDA {release}, driver {floor} or newer",
        rank=(_numbers(said.get(labels.CRATE_VERSION, "")), number, _numbers(release)),
    )


def _against(card: Card, capabilities: Sequence[int], release: str, floor: str) -> str:
    """Return why a card does not run binaries for some capabilities; empty where it does."""
    row = _row(card)
    if row and row.refused:
        return row.refused
    if not any(number <= card.capability for number in capabilities):
        return f"its binaries are for {', '.join(map(dotted, capabilities))} and newer"
    known = [table().driver(card.capability, release)] if release in table().toolkits else []
    least = max([*known, *([floor] if floor else [])], key=version, default="")
    if card.driver and least and version(card.driver) < version(least):
        return f"with CUDA {release} it needs driver {least}, and {card.driver} is here"
    return ""


def image(cards: Sequence[Card], reference: str, registries: Registries) -> Verdict:
    """Return whether a published image runs on some cards, by its labels in the registry: nothing is pulled.

    Raises:
        NetworkError: the registry cannot be reached, or refuses.
    """
    found = Reference.parse(reference)
    with registries.repository(found) as repository:
        return _read(cards, repository, str(found), found.pointer)


def published(cards: Sequence[Card], name: str, registries: Registries) -> tuple[Verdict, ...]:
    """Return whether the images of a repository run on some cards, one for each tag. Raises what image() does."""
    with registries.repository(name) as repository:
        tags = [tag for tag in repository.tags() if not ATTACHED.fullmatch(tag)]
        return tuple(_read(cards, repository, f"{name}:{tag}", tag) for tag in tags[-MOST_TAGS:])


def _read(cards: Sequence[Card], repository: Repository, reference: str, pointer: str) -> Verdict:
    manifest = repository.find(pointer)
    if manifest is None:
        return Verdict(reference=reference, runs=False, why="the registry has no such image")
    config = repository.config(manifest, cards[0].platform.removeprefix("linux/"))
    said = config.get("config", {}).get("Labels") or {}
    return judge(cards, reference, said, str(config.get("architecture", "")))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in re.findall("[0-9]+", text))


def _row(card: Card) -> Row | None:
    return table().row(card.capability, card.platform)


def _obstacle(card: Card, release: str) -> str:
    """Return why PTX of a toolkit does not run on a card; empty where it does."""
    if not card.capability or not any(number <= card.capability for number in table().compiles(release)):
        return f"CUDA {release} compiles for nothing that {card.name} runs"
    least = table().driver(card.capability, release)
    if card.driver and version(card.driver) < version(least):
        return f"the driver is {card.driver}, CUDA {release} on {card.name} needs {least}"
    return ""


def _build(cards: Sequence[Card], toolkits: Sequence[str], pins: Pins) -> str:
    """Return the options of `baker build` for images that all cards run: the usual toolkit, else the newest."""
    lowest, machine = min(card.capability for card in cards), cards[0].platform
    if machine not in get_args(values.Platform):
        return ""
    platform = "" if machine == "linux/amd64" else f" --platform {machine}"
    bases = {"nvidia": pins.nvidia.cuda, "debian": pins.debian.cuda}
    for base, release in bases.items():
        fitting = [number for number in table().compiles(release) if number <= lowest]
        if release in toolkits and fitting:
            number = table().default if table().default in fitting else max(fitting)
            return f"--compute-cap {dotted(number)} --base {base}{platform}"
    return ""


def _shown(card: Card) -> str:
    row = _row(card)
    what = f"{dotted(card.capability)}{f', {row.architecture}' if row else ''}" if card.capability else "unknown"
    driver = f"driver {card.driver}" if card.driver else "driver not known"
    memory = f", {card.memory} MiB" if card.memory else ""
    return f"{card.name} ({what}), {card.platform}, {driver}{memory}"


def _notes(cards: Sequence[Card]) -> Iterable[str]:
    for card in cards:
        yield from _of_card(card)
    for found in measured.all_of():
        if any(found.card_capability == dotted(card.capability) for card in cards):
            yield (
                f"measured on {found.card}: {found.service} with CUDA {found.cuda} is Ready after "
                f"{found.ready.empty:.1f} s, later {found.ready.kept:.1f} s"
            )
    for load in table().loads:
        if any(same(load.card, card.name) for card in cards):
            yield (
                f"measured on {load.card}: stt with {load.slots} slots holds {load.memory} MiB; {load.kept} of "
                f"{load.streams} streams were in real time"
            )
    for claim in table().claims:
        yield f"not measured: {claim.what}: {claim.figure} (says {claim.source})"


def _of_card(card: Card) -> Iterable[str]:
    row = _row(card)
    if not card.capability:
        yield f"nobody knows the compute capability of {card.name}: name it, as in --card 8.6"
        return
    if row and row.refused:
        yield f"{card.name} is not supported: {row.refused}"
        return
    if card.platform not in get_args(values.Platform):
        yield f"{card.name} is in machines of {card.platform}, for which baker cannot build yet"
    if card.capability < table().bf16_from:
        yield (
            f'{card.name} has no bf16: put dtype_override = "f32" beside lm_model_file in the config of stt '
            f"({dotted(table().bf16_from)} is the first with it)"
        )
    if row and row.notes:
        yield f"{dotted(card.capability)}: {row.notes}"
    if card.driver and all(_obstacle(card, release) for release in table().toolkits):
        least = min((table().driver(card.capability, each) for each in table().toolkits), key=version)
        yield f"the driver {card.driver} is too old for every toolkit: update it to {least} or newer"
