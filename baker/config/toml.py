"""Reading TOML files: whatever is wrong with one is an error of one line that names the file."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from baker.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

MARK = "\N{BYTE ORDER MARK}"


def read(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        UsageError: it is missing or no TOML; the message names the file and the line.
    """
    try:
        return parse(path.read_bytes(), str(path))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


def parse(content: bytes, where: str) -> dict[str, Any]:
    """Read the bytes of a TOML file, or raise UsageError; `where` names the file."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{where}: not UTF-8 text: {error.reason} at byte {error.start}") from error
    if text.startswith(MARK):
        # Cargo takes one, tomllib and tomlkit do not.
        raise UsageError(f"{where}: starts with a byte order mark; save it as UTF-8 without one")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise UsageError(f"{where}: arrays or tables are nested too deeply") from error
    # A number of more digits than Python takes is a plain ValueError.
    except ValueError as error:
        raise UsageError(f"{where}: not valid TOML: {' '.join(str(error).split())}") from error
