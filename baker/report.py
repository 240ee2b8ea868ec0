"""What a person reads at the end: the same values that --json prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.filesize import decimal
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from baker.doctor import Finding
    from baker.receipt import Receipt
    from baker.shelf import State
    from baker.verify import Check

GIGABYTE = 10**9
STATES = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "missing": "[red]missing[/]"}


def receipts(found: Sequence[Receipt], console: Console) -> None:
    """Print a line for each image that was built."""
    for receipt in found:
        size = f"{receipt.size / GIGABYTE:.2f} GB"
        console.print(f"[green]tagged[/] {receipt.image}  {size}  {receipt.digest[:19]}", highlight=False)


def checks(found: Mapping[str, Sequence[Check]], console: Console) -> None:
    """Print a table of checks for each image."""
    for reference, items in found.items():
        table = Table(title=reference, title_justify="left", box=None, show_header=False)
        for item in items:
            table.add_row("[green]ok[/]" if item.passed else "[red]failed[/]", item.name, item.detail)
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
