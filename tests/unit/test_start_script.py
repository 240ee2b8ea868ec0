"""The start script is one program in several files: what is read-only in one of them is no variable in another."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "services/moshi-server"
PARTS = (FOLDER / "start_moshi_server.sh", *sorted((FOLDER / "start").glob("*.sh")))


def test_no_function_has_a_variable_that_is_read_only_elsewhere():
    text = "\n".join(part.read_text(encoding="utf-8") for part in PARTS)
    fixed = {name for line in re.findall(r"^readonly (.*)", text, re.MULTILINE) for name in re.findall(r"(\w+)=", line)}
    local = {
        name.partition("=")[0]
        for line in re.findall(r"^\s+local (?:-\w+ )?(.*)", text, re.MULTILINE)
        for name in line.split()
    }
    assert {"root", "bin"} <= fixed
    assert {"owner", "group"} <= local
    assert fixed & local == set()
