"""The bundle of a smoke test: binary, start script, libraries, a tiny model and a client, in one archive."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import zstandard

from baker.config import measured
from baker.config.cardtable import dotted
from baker.dockerfile import labels
from baker.dockerfile.render import TEMPLATES
from baker.engine import containers
from baker.errors import UsageError, VerifyError
from baker.synthetic import archive
from baker.system import files
from baker.system.units import MEGABYTE
from baker.verify import checks, ptx, server

if TYPE_CHECKING:
    from pathlib import Path

    from baker.engine.interface import Engine, LocalImage

MOST = 60 * MEGABYTE
ELF = b"\x7fELF"
BIN = "/opt/baker/bin"
TAKEN = (BIN, "/opt/baker/start", "/opt/baker/stubs", "/opt/baker/image.env", "/app/start_moshi_server.sh")
# The path of the model, which run.py replaces.
MODEL = "@MODEL@"
SPEECH = "BatchedAsr"
LEVEL = 12


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What was packed: the archive, its size, and the CUDA libraries that its machine has to have."""

    archive: str
    size: int
    cuda_libraries: tuple[str, ...]
    ptx: str


@dataclass(kw_only=True)
class _Files:
    """The files of a bundle by path: content and mode."""

    found: dict[str, tuple[bytes, int]] = field(default_factory=dict)

    def add(self, path: str, content: bytes, mode: int = 0o644) -> None:
        self.found[path] = (content, mode)

    def packed(self) -> bytes:
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as written:
            for path, (content, mode) in sorted(self.found.items()):
                member = tarfile.TarInfo(f"smoke/{path}")
                member.size, member.mode = len(content), mode
                written.addfile(member, io.BytesIO(content))
        return zstandard.ZstdCompressor(level=LEVEL, threads=-1).compress(plain.getvalue())


def write(engine: Engine, reference: str, image: LocalImage, output: Path) -> Bundle:
    """Pack the smoke test of an image of speech-to-text with CUDA.

    Args:
        engine: where the image is.
        reference: the image.
        image: the same, as the engine has it.
        output: the archive, a .tar.zst.

    Raises:
        UsageError: the image is none that there is such a test for.
        VerifyError: the bundle is larger than a smoke test should be, or the image lacks a part of it.
    """
    if not image.labels.get(labels.CAPABILITIES):
        raise UsageError(f"{reference} has no GPU code: a smoke test is for images with --accel cuda")
    if server.config_kind(engine, reference, image) != SPEECH:
        raise UsageError(f"{reference}: there is a smoke test for speech-to-text alone")
    bundle = _Files()
    for name, content in archive.make(SPEECH, seen_as=MODEL).files.items():
        bundle.add(f"model/{name}", content)
    for name in ("run.py", "wire.py"):
        bundle.add(name, (TEMPLATES / "smoke" / name).read_bytes(), 0o755)
    programs = _image(engine, reference, bundle)
    loader, cuda = _libraries(engine, reference, tuple(programs), bundle)
    modules = sorted({module for content in programs.values() for module in ptx.modules(content)})
    about = _about(image, loader, cuda, ptx.shown(tuple(modules)))
    bundle.add("about.json", (json.dumps(about, indent=2) + "\n").encode())
    packed = bundle.packed()
    if len(packed) > MOST:
        raise VerifyError(
            f"the smoke test of {reference} has {len(packed) / MEGABYTE:.0f} MB, more than {MOST / MEGABYTE:.0f}: name "
            "an image with one capability"
        )
    files.write_atomically(output, packed)
    return Bundle(archive=str(output), size=len(packed), cuda_libraries=cuda, ptx=str(about["ptx"]))


def _image(engine: Engine, reference: str, bundle: _Files) -> dict[str, bytes]:
    """Add what the image has of the start, programs behind a wrapper; return the programs."""
    wrapper = (TEMPLATES / "smoke/wrapper").read_bytes().replace(b"\r\n", b"\n")
    programs = {}
    for path, stream in containers.copied(engine, reference, TAKEN):
        above = path.rpartition("/")[0]
        with tarfile.open(fileobj=stream, mode="r|") as members:
            for member in members:
                source = members.extractfile(member) if member.isreg() else None
                if source is None:
                    continue
                content, target = source.read(), f"{above}/{member.name}"
                if target.startswith(f"{BIN}/") and content.startswith(ELF):
                    programs[target] = content
                    bundle.add(f"root{target}.elf", content, 0o755)
                    content = wrapper
                bundle.add(f"root{target}", content, member.mode & 0o777)
    if not programs:
        raise VerifyError(f"{reference} has no program in {BIN}: is it an image of baker's?")
    return programs


def _libraries(
    engine: Engine, reference: str, programs: tuple[str, ...], bundle: _Files
) -> tuple[str, tuple[str, ...]]:
    """Add the libraries of programs but CUDA's; return the loader's name, and those of CUDA's."""
    script = (TEMPLATES / "smoke/closure").read_text(encoding="utf-8").replace("\r\n", "\n")
    said = containers.run_once(
        engine, reference, ["-c", script, "closure", *programs], entrypoint="/bin/bash", **checks.HARDENED
    )
    found = dict(line.split("\t") for line in said.splitlines())
    loader = next(iter(found))
    cuda = tuple(sorted(name for name, path in found.items() if "/nvidia/" in path))
    bundled = {name: path for name, path in found.items() if name not in cuda and not path.startswith("/opt/baker/")}
    by_path: dict[str, bytes] = {}
    for path, stream in containers.copied(engine, reference, sorted(set(bundled.values()))):
        with tarfile.open(fileobj=stream, mode="r|") as members:
            for member in members:
                source = members.extractfile(member) if member.isreg() else None
                if source is not None:
                    by_path[path] = source.read()
    for name, path in bundled.items():
        bundle.add(f"lib/{name}", by_path[path], 0o755)
    return loader, cuda


def _about(image: LocalImage, loader: str, cuda: tuple[str, ...], modules: str) -> dict[str, object]:
    said = image.labels
    return {
        "format": measured.FORMAT,
        "service": said.get(labels.SERVICE, ""),
        "crate": f"{said.get(labels.CRATE, '')} {said.get(labels.CRATE_VERSION, '')}",
        "capability": ", ".join(dotted(int(number)) for number in said[labels.CAPABILITIES].split()),
        "cuda": said.get(labels.CUDA, ""),
        "ptx": modules,
        "loader": loader,
        "cuda_libraries": list(cuda),
        "image": image.id,
    }
