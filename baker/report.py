"""What a person reads at the end: the same values that --json prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from baker.doctor import Finding
    from baker.receipt import Receipt
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
