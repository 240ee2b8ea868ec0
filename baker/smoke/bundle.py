"""The bundle of a smoke test: binary, start script, libraries, a tiny model and a client, in one archive."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from baker.config import measured
from baker.config.cardtable import dotted
from baker.dockerfile import labels
from baker.errors import UsageError, VerifyError
from baker.smoke import environment, packing
from baker.smoke.packing import Archive
from baker.synthetic import answers, archive
from baker.system import files
from baker.system.units import MEGABYTE
from baker.verify import checks, ptx, server

if TYPE_CHECKING:
    from pathlib import Path

    from baker.engine.interface import Engine, LocalImage

MOST = 60 * MEGABYTE
BIN = "/opt/baker/bin"
TAKEN = (BIN, "/opt/baker/start", "/opt/baker/stubs", "/opt/baker/image.env", "/app/start_moshi_server.sh")
SCRIPTS = ("machine.py", "run.py", "wire.py")
# The path of the model, which run.py replaces.
MODEL = "@MODEL@"
# The kind of a synthetic model whose script Python runs.
EMBEDS = "Py"


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What was packed.

    Attributes:
        archive: the path of the archive.
        size: its size in bytes.
        cuda_libraries: the libraries that the machine with the card has to have.
        torch: the torch that it has to have, as in "2.9.1"; empty where the service takes none.
        python: the Python that this torch has to be for, as in "3.13"; empty likewise.
        ptx: the version and the targets of the PTX in the binary, as in "8.7 sm_80".
    """

    archive: str
    size: int
    cuda_libraries: tuple[str, ...]
    torch: str
    python: str
    ptx: str


def write(engine: Engine, reference: str, image: LocalImage, output: Path) -> Bundle:
    """Pack the smoke test of an image of moshi-server with CUDA.

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
    kind = server.config_kind(engine, reference, image)
    if not kind:
        raise UsageError(f"{reference} has no config of moshi-server's: there is a smoke test for its services alone")
    model, packed = archive.make(kind, seen_as=MODEL), Archive()
    for name, content in model.files.items():
        packed.add(f"model/{name}", content)
    for name in SCRIPTS:
        packed.add(name, (packing.SMOKE / name).read_bytes(), 0o755)
    programs = _image(engine, reference, packed)
    python = environment.layout(engine, reference) if kind == EMBEDS else None
    modules = environment.add(engine, reference, python, packed) if python else ()
    loader, cuda = _libraries(engine, reference, (*programs, *modules), packed)
    found = sorted({module for content in programs.values() for module in ptx.modules(content)})
    about = {
        **_about(image),
        "ptx": ptx.shown(tuple(found)),
        "loader": loader,
        "cuda_libraries": cuda,
        "config": model.config,
        "path": model.path,
        "torch": python.torch if python else "",
        "python": python.version if python else "",
        "asked": [asdict(each) for each in answers.questions(kind)],
    }
    packed.add("about.json", (json.dumps(about, indent=2) + "\n").encode())
    content = packed.packed()
    if len(content) > MOST:
        raise VerifyError(
            f"the smoke test of {reference} has {len(content) / MEGABYTE:.0f} MB, more than {MOST / MEGABYTE:.0f}: "
            "name an image with one capability"
        )
    files.write_atomically(output, content)
    return Bundle(
        archive=str(output),
        size=len(content),
        cuda_libraries=cuda,
        torch=about["torch"],
        python=about["python"],
        ptx=about["ptx"],
    )


def _image(engine: Engine, reference: str, packed: Archive) -> dict[str, bytes]:
    """Add what the image has of the start, programs behind a wrapper; return the programs."""
    programs = {}
    for path, content, mode in packing.taken(engine, reference, TAKEN):
        if path.startswith(f"{BIN}/") and content.startswith(packing.ELF):
            programs[path] = content
            packed.add_program(f"root{path}", content, mode)
        else:
            packed.add(f"root{path}", content, mode)
    if not programs:
        raise VerifyError(f"{reference} has no program in {BIN}: is it an image of baker's?")
    return programs


def _libraries(
    engine: Engine, reference: str, programs: tuple[str, ...], packed: Archive
) -> tuple[str, tuple[str, ...]]:
    """Add the libraries of programs but CUDA's; return the loader's name, and those of CUDA's."""
    said = checks.said(engine, reference, "closure", programs, folder=packing.SMOKE)
    found = dict(line.split("\t") for line in said.splitlines())
    loader = next(iter(found))
    cuda = tuple(sorted(name for name, path in found.items() if "/nvidia/" in path))
    # Those of a package lie in its folder, and are found there.
    bundled = {
        name: path
        for name, path in found.items()
        if name not in cuda and not path.startswith("/opt/baker/") and "/site-packages/" not in path
    }
    by_path = {path: content for path, content, _ in packing.taken(engine, reference, sorted(set(bundled.values())))}
    for name, path in bundled.items():
        packed.add(f"lib/{name}", by_path[path], 0o755)
    return loader, cuda


def _about(image: LocalImage) -> dict[str, Any]:
    said = image.labels
    return {
        "format": measured.FORMAT,
        "service": said.get(labels.SERVICE, ""),
        "crate": f"{said.get(labels.CRATE, '')} {said.get(labels.CRATE_VERSION, '')}",
        "capability": ", ".join(dotted(int(number)) for number in said[labels.CAPABILITIES].split()),
        "cuda": said.get(labels.CUDA, ""),
        "image": image.id,
    }
