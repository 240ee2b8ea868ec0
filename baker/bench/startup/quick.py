"""The quick form: a crate that compiles in seconds and prints the first word of its config."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path
from typing import Any

from baker.bench.startup.subject import Versions
from baker.config import scaffold
from baker.config.pins import CratePin
from baker.system.units import GIGABYTE

HELLO = Path(str(resources.files("baker.bench.startup") / "hello"))
VERSIONS = Versions(
    crate="choose",
    previous=CratePin(version="1.3.6", sha256="fcfc9ef810169673de79dba30494ebc3b529e07a59b9e7bcfc9aa1ac222d3467"),
    pinned=CratePin(version="1.3.7", sha256="d6b78d30d8479d5f57cd1e26192944220a43e641e13ac1274360d9ddd019b81f"),
)


class Quick:
    """`choose`, with a virtual environment of one package."""

    form = "quick"
    service = "hello"
    command = "0 -i configs/motd"
    room = 3 * GIGABYTE

    def versions(self) -> Versions:
        """Return the two versions."""
        return VERSIONS

    def lay_out(self, root: Path) -> None:
        """Write the service; it needs no models."""
        shutil.copytree(HELLO, root / "services" / self.service)
        scaffold.make_writable(root / "services" / self.service)
        (root / "models").mkdir()

    def configure(self, root: Path, mark: str) -> None:
        """Change the first word."""
        (root / "services" / self.service / "configs" / "motd").write_text(f"{mark} is the first word\n")

    def said(self, container: Any, mark: str) -> bool:  # noqa: ANN401
        """Whether the crate has printed the mark; cargo and uv print to the other stream."""
        return mark in container.logs(stdout=True, stderr=False).decode(errors="replace").split()
