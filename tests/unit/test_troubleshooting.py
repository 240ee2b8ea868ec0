"""docs/troubleshooting.md: what it quotes is what baker prints, and each test that it names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith(("| what you see", "| --- "))
]
QUOTED = re.compile(r"^``(.+?)``")
# Where a value stands in a message, and where the page has anything at all.
ANY = "…"


def texts(path):
    """Return what a program may print: the literals of Python, the whole of a script."""
    content = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return [content]
    found = []
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else ANY for part in node.values)
            found.append("".join(str(part) for part in parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
    return found


@pytest.fixture(scope="module")
def printed():
    folders = ("dockerfiles/scripts", "services/moshi-server/start")
    scripts = [path for folder in folders for path in (ROOT / folder).iterdir() if path.is_file()]
    return [text for path in (*ROOT.glob("baker/**/*.py"), *scripts) for text in texts(path)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:50])
def test_a_row(printed, row):
    seen, _, test = row
    file, name = test.strip("`").split("::")
    assert re.search(rf"^def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), test
    if quoted := QUOTED.match(seen):
        pieces = [piece.strip() for piece in quoted[1].split(ANY)]
        assert any(all(piece in text for piece in pieces) for text in printed), quoted[1]


def test_most_rows_quote_a_message():
    assert len(ROWS) > 40
    assert sum(bool(QUOTED.match(row[0])) for row in ROWS) > 35
