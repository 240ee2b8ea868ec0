"""The files of a smoke test's archive, and how they come out of an image."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import zstandard

from baker.dockerfile.render import TEMPLATES
from baker.engine import containers
from baker.verify import checks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from baker.engine.interface import Engine

SMOKE = TEMPLATES / "smoke"
ELF = b"\x7fELF"
# From this level on it packs a tenth smaller; 19 takes three times as long for little more.
LEVEL = 16


@dataclass(kw_only=True)
class Archive:
    """Files by their path in the archive: content and mode."""

    files: dict[str, tuple[bytes, int]] = field(default_factory=dict)

    def add(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Add a file."""
        self.files[path] = (content, mode)

    def add_program(self, path: str, content: bytes, mode: int) -> None:
        """Add a program behind a wrapper, which runs it with the C library of the archive."""
        self.add(f"{path}.elf", content, 0o755)
        self.add(path, checks.text("wrapper", SMOKE).encode(), mode)

    def packed(self) -> bytes:
        """Return the archive, a .tar.zst with the one folder smoke."""
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as written:
            for path, (content, mode) in sorted(self.files.items()):
                member = tarfile.TarInfo(f"smoke/{path}")
                member.size, member.mode = len(content), mode
                written.addfile(member, io.BytesIO(content))
        return zstandard.ZstdCompressor(level=LEVEL, threads=-1).compress(plain.getvalue())


def taken(engine: Engine, reference: str, paths: Sequence[str]) -> Iterator[tuple[str, bytes, int]]:
    """Yield path, content and mode of each regular file at or below paths of an image; links are left out."""
    for path, stream in containers.copied(engine, reference, paths):
        above = path.rpartition("/")[0]
        with tarfile.open(fileobj=stream, mode="r|") as members:
            for member in members:
                source = members.extractfile(member) if member.isreg() else None
                if source is not None:
                    yield f"{above}/{member.name}", source.read(), member.mode & 0o777
