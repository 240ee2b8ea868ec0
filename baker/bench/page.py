"""Tables and pictures in a folder of documentation: what stands between two marks is replaced, the rest is left."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from baker.bench import plot, table
from baker.system import files

if TYPE_CHECKING:
    from pathlib import Path

    from baker.bench.startup.result import Result

PAGE = "benchmarks.md"
BEGIN, END = "<!-- baker bench: {name} -->", "<!-- end: {name} -->"


def write_ways(result: Result, command: str, folder: Path) -> tuple[Path, ...]:
    """Write the table and the picture of the three ways, and return the files."""
    picture = folder / ("benchmarks.svg" if result.form == "real" else f"benchmarks-{result.form}.svg")
    picture.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomically(picture, plot.draw(result))
    shown = f"![From up to the word, by way and scenario]({picture.name})"
    text = f"`{command}` made this.\n\n{shown}\n\n{table.ways(result)}"
    return (insert(f"ways, {result.form}", text, folder), picture)


def insert(name: str, text: str, folder: Path) -> Path:
    """Put a text between its marks in the page; where it has none, at its end."""
    page = folder / PAGE
    folder.mkdir(parents=True, exist_ok=True)
    before = page.read_text(encoding="utf-8") if page.exists() else "# Benchmarks\n"
    begin, end = BEGIN.format(name=name), END.format(name=name)
    block = f"{begin}\n\n{text}\n\n{end}"
    marked = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    after, count = marked.subn(lambda _: block, before)
    files.write_atomically(page, after if count else f"{before.rstrip()}\n\n{block}\n")
    return page
