"""uv: which interpreters it can install, and the uv.lock of a Python project."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from packaging.version import Version

from baker.config import platforms
from baker.errors import CommandError, LockError, NetworkError
from baker.system import process

if TYPE_CHECKING:
    from collections.abc import Sequence


def python(version: str) -> dict[str, str]:
    """Return X.Y and the newest X.Y.Z of it that uv can install. uv has that list in itself."""
    argv = [_program(), "python", "list", version, "--only-downloads", "--all-versions"]
    argv += ["--all-arches", "--output-format=json"]
    found = [item for item in json.loads(process.capture(argv)) if item["variant"] == "default"]
    stable = {
        (item["version"], item["arch"])
        for item in found
        if item["libc"] == "gnu" and not Version(item["version"]).is_prerelease
    }
    legal = [
        Version(version)
        for version in {version for version, _ in stable}
        if all((version, each.machine) in stable for each in platforms.ALL)
    ]
    if not legal:
        raise LockError(f"uv can install no CPython {version}: does [python] version in baker.lock say X.Y?")
    return {"version": version, "managed": str(max(legal))}


def relock(folder: str, upgrade: Sequence[str]) -> None:
    """Let uv bring the uv.lock of a folder up to date.

    Raises:
        NetworkError: an index cannot be reached.
        LockError: there is no solution, or pyproject.toml is wrong.
    """
    wanted = [f"--upgrade-package={name}" for name in upgrade]
    try:
        process.capture([_program(), "lock", "--project", folder, *wanted])
    except CommandError as error:
        if re.search(r"client error|dns error|Connection|timed out|Request failed|offline", error.tail):
            raise NetworkError(error.tail.strip().splitlines()[-1].strip()) from error
        raise LockError(error.tail) from error


def _program() -> str:
    """Return the path of the uv that baker depends on."""
    from uv import find_uv_bin  # noqa: PLC0415 - only `baker lock` needs it

    return str(find_uv_bin())
