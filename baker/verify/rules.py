"""The digest of all that decides whether an image passes: one that passed by other rules is checked again."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from baker.dockerfile.render import TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from baker.dockerfile.requirements import Requirements

# All modules that the checks run through; a test compares this with what they import.
PACKAGES = ("baker.verify", "baker.synthetic", "baker.engine")
MODULES = (
    ("baker.config", "cards.toml"),
    ("baker.config", "cardtable.py"),
    ("baker.config", "platforms.py"),
    ("baker.dockerfile", "requirements.py"),
    ("baker.dockerfile", "top_layers.py"),
    ("baker.system", "aside.py"),
    ("baker.system", "streams.py"),
)


def rules(requirements: Requirements) -> str:
    """Return the digest of what is checked of an image, and how."""
    return hashlib.sha256(f"{requirements!r}\0{_code()}".encode()).hexdigest()


def sources() -> Iterator[Traversable | Path]:
    """Yield the files that decide: modules, and the scripts that run in an image."""
    for package in PACKAGES:
        files = resources.files(package).iterdir()
        yield from sorted((file for file in files if file.name.endswith(".py")), key=lambda file: file.name)
    for package, name in MODULES:
        yield resources.files(package) / name
    yield from sorted(file for file in (TEMPLATES / "verify").iterdir() if file.is_file())


@cache
def _code() -> str:
    found = hashlib.sha256()
    for file in sources():
        # A checkout may change line ends.
        found.update(file.name.encode() + b"\0" + file.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return found.hexdigest()
