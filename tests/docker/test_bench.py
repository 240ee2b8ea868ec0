"""The benchmark measures and prints; what it prints is nobody's promise."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def bench(*options: str) -> str:
    command = [sys.executable, "-m", "tests.bench", "--quick", "--only=help", *options]
    return subprocess.run(
        command, cwd=Path(__file__).parents[2], check=True, capture_output=True, text=True, timeout=120
    ).stdout


def test_the_help_page_is_compared():
    (row,) = json.loads(bench("--json"))
    assert "baker --help" in row["what"]
    assert row["unit"] == "s"
    assert min(row["found"], row["beside"], row["ratio"]) > 0
    least, greatest = row["range"]
    assert least <= row["ratio"] <= greatest


def test_the_table_is_markdown():
    head, rule, line = bench().splitlines()
    assert head.count("|") == rule.count("|") == line.count("|")
    assert line.startswith("| `baker --help`")
