"""The benchmark measures and prints; what it prints is nobody's promise."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_the_help_page_is_compared():
    command = [sys.executable, "-m", "tests.bench", "--only=help", "--runs=1", "--json"]
    root = Path(__file__).parents[2]
    output = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    (row,) = json.loads(output)
    assert "baker --help" in row["what"]
    assert row["ratio"] > 0
