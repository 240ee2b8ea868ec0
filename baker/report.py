"""What a person reads at the end: the same values that --json prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from baker.build import duration
from baker.forecast import BUILD, CACHED, FOLLOWS, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from baker.buildcache import Record
    from baker.checks import Check
    from baker.deploy import Deployment
    from baker.doctor import Finding
    from baker.forecast import Outlook
    from baker.publish import Intent, Published
    from baker.receipt import Receipt
    from baker.shelf import State

GIGABYTE = 10**9
PLANNED = {CACHED: "green", BUILD: "red", FOLLOWS: "yellow", SETTINGS: "yellow"}
CHECKED = {"ok": "green", "failed": "red", "skipped": "yellow"}
STATES = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "missing": "[red]missing[/]"}


def receipts(found: Sequence[Receipt], console: Console) -> None:
    """Print a line for each image that was built."""
    for receipt in found:
        size = f"{receipt.size / GIGABYTE:.2f} GB"
        console.print(f"[green]tagged[/] {receipt.image}  {size}  {receipt.digest[:19]}", highlight=False)


def intents(found: Sequence[Intent], console: Console) -> None:
    """Print what publishing would do with each tag."""
    for intent in found:
        console.print(f"{intent.repository}: push by digest, sign, check, then tag", highlight=False)
        for tag, before in intent.tags.items():
            console.print(f"  {tag}  {f'moves from {before}' if before else 'new'}", highlight=False)


def published(found: Sequence[Published], console: Console) -> None:
    """Print where each image is now."""
    for item in found:
        bytes_sent = f"{decimal(item.sent)} of {decimal(item.size)} sent"
        console.print(f"[green]published[/] {item.reference}  {', '.join(item.tags)}  {bytes_sent}", highlight=False)


def deployment(found: Deployment, where: str, console: Console) -> None:
    """Print what a stack file runs, what to know of it, and what to do with it."""
    for service, image in found.images.items():
        console.print(f"{service}  {image}", highlight=False)
    for note in found.notes:
        console.print(f"[yellow]note[/] {note}", highlight=False)
    console.print(f"wrote {where}; deploy it, on a manager, with\n  {found.command}", highlight=False)


def outlooks(found: Sequence[Outlook], console: Console) -> None:
    """Print what will become of each stage, and what that took last time."""
    table = Table(box=None, show_header=False)
    for item in found:
        what = f"[{PLANNED[item.state]}]{item.state}[/]"
        table.add_row(what, item.stage, duration(item.seconds) if item.seconds else "", Text("; ".join(item.why)))
    console.print(table)
    work = [item for item in found if item.state == BUILD]
    if not work:
        console.print("every stage that makes a layer is cached, as far as baker knows", highlight=False)
        return
    known = sum(item.seconds for item in work)
    text = f"{len(work)} of {len(found)} stages to build"
    console.print(f"{text}, {duration(known)} in all the last time" if known else text, highlight=False)


def records(found: Sequence[Record], console: Console) -> None:
    """Print records of the builder's cache, and their sum."""
    table = Table(box=None, show_header=False)
    for item in found:
        table.add_row(item.kind, item.name, decimal(item.size), "shared" if item.shared else "", item.id)
    console.print(table)
    console.print(f"{len(found)} records, {decimal(sum(item.size for item in found))}", highlight=False)


def checks(found: Mapping[str, Sequence[Check]], console: Console) -> None:
    """Print a table of checks for each image."""
    for reference, items in found.items():
        table = Table(title=reference, title_justify="left", box=None, show_header=False)
        for item in items:
            what = "skipped" if item.skipped else "ok" if item.passed else "failed"
            table.add_row(f"[{CHECKED[what]}]{what}[/]", item.name, Text(item.detail))
        console.print(table)


def findings(found: Sequence[Finding], console: Console) -> None:
    """Print what the doctor found."""
    table = Table(box=None, show_header=False)
    for item in found:
        table.add_row(STATES[item.state], item.name, item.detail)
    console.print(table)


def models(found: Sequence[State], where: str, console: Console) -> None:
    """Print what was fetched, or is missing or damaged, and a line for all."""
    for state in found:
        if state.state != "present":
            size = f"  {decimal(state.size)}" if state.size else ""
            console.print(f"{state.state} {state.file}{size}", highlight=False, markup=False)
    bad = [state for state in found if state.state in ("missing", "damaged")]
    whole = f"{len(found)} files, {decimal(sum(state.size for state in found))}, are whole in {where}"
    word = f"{len(bad)} of {len(found)} files are missing or damaged in {where}" if bad else whole
    console.print(word if found else "no config names a model", highlight=False, markup=False)
