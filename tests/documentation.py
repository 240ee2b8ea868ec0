"""README and the pages of docs: what they show as commands of baker."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = tuple(sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")]))
SHELL = re.compile(r"^```(?:sh|shell|bash|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:\.venv/bin/)?baker [^`]+)`")
# What a pipe may get: no colours, no cursor movements, no frames of tables.
PLAIN = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f\u2500-\u259f]*")
# A file is shown below a line with its name.
STEP = re.compile(r"(?:^`([^`\n]+)`:\n\n)?^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:[A-Z_]+=\S* )*(?:\.venv/bin/)?baker [a-z-]")


def shown(page: Path) -> list[str]:
    """Return every line that a page shows as a command of baker, in a block of shell or within a sentence."""
    return [line for line in (*blocks(page), *INLINE.findall(page.read_text(encoding="utf-8"))) if COMMAND.match(line)]


def blocks(page: Path) -> list[str]:
    """Return the lines of a page's blocks of shell; one that goes on is one line."""
    text = page.read_text(encoding="utf-8")
    return [line.strip() for block in SHELL.findall(text) for line in block.replace("\\\n", " ").splitlines()]


def steps(page: Path) -> list[tuple[str, str]]:
    """Return what a reader of a page does, in order: a file's name with its text, or "" with lines of shell."""
    found = STEP.findall(page.read_text(encoding="utf-8"))
    return [(name, text) for name, language, text in found if name or language == "sh"]
