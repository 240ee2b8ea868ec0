"""The Python environment that text-to-speech embeds, as a smoke test takes it: all of it but torch and CUDA."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

import msgspec

from baker.engine import containers
from baker.errors import CommandError, VerifyError
from baker.smoke import packing
from baker.verify import checks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baker.engine.interface import Engine
    from baker.smoke.packing import Archive

# What the machine with the card has to have: it is a hundred times as large as the rest.
GIVEN = re.compile(r"(torch|functorch|torchgen|triton|nvidia|cuda|_cuda)([-_.].*)?")
# Parts of Python's library that no server imports.
IDLE = re.compile(r"test|idlelib|tkinter|turtledemo|ensurepip|pydoc_data|config-.*|.*-packages|__pycache__")
# What torch alone requires, which whoever installs it has; the server and the downloads of the package moshi; bytecode.
NEEDLESS = re.compile(
    "(sympy|isympy|mpmath|networkx|jinja2|markupsafe|setuptools|pkg_resources"
    "|aiohttp|aiosignal|aiohappyeyeballs|frozenlist|multidict|propcache|yarl|hf_xet|__pycache__)([-_.].*)?"
)


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Where the interpreter of an image has its parts, all as absolute paths.

    Attributes:
        version: of the interpreter, as in "3.13".
        torch: the version of torch, as in "2.9.1".
        program: the interpreter itself.
        headers: the folder of Python.h, which need not be there.
        multiarch: Debian's name of the platform, as in "x86_64-linux-gnu"; others have none.
        stdlib: each entry of the folder of Python's own library.
        packages: each entry of site-packages.
    """

    version: str
    torch: str
    program: str
    headers: str
    multiarch: str
    stdlib: tuple[str, ...]
    packages: tuple[str, ...]


def layout(engine: Engine, reference: str) -> Layout:
    """Ask the interpreter of an image.

    Raises:
        VerifyError: the image has none with torch.
    """
    script = checks.text("layout.py", packing.SMOKE)
    try:
        said = containers.run_once(engine, reference, ["-c", script], entrypoint="python3", **checks.HARDENED)
        return msgspec.json.decode(said, type=Layout)
    except (CommandError, msgspec.MsgspecError) as error:
        raise VerifyError(f"{reference} has no Python with torch, which text-to-speech embeds: {error}") from error


def add(engine: Engine, reference: str, found: Layout, archive: Archive) -> tuple[str, ...]:
    """Add the environment to an archive, in the folder python; return its ELF files, as paths of the image."""
    folder, headers = f"lib/python{found.version}", f"include/python{found.version}"
    # Debian's pyconfig.h includes the platform's own by this path.
    own = f"{found.multiarch}/python{found.version}"
    into = {
        **{path: f"{folder}/{posixpath.basename(path)}" for path in _kept(found.stdlib, IDLE)},
        **{
            path: f"{folder}/site-packages/{posixpath.basename(path)}"
            for path in _kept(found.packages, GIVEN, NEEDLESS)
        },
        found.headers: headers,
        f"/usr/include/{own}": f"{headers}/{own}",
        found.program: "bin/python3",
    }
    programs = []
    for path, content, mode in packing.taken(engine, reference, tuple(into)):
        if "/__pycache__/" in path:
            continue
        top = next(top for top in (path, *_above(path)) if top in into)
        put = archive.add_program if top == found.program else archive.add
        put(f"python/{into[top]}{path.removeprefix(top)}", content, mode)
        if content.startswith(packing.ELF):
            programs.append(path)
    return tuple(programs)


def _kept(paths: tuple[str, ...], *patterns: re.Pattern[str]) -> Iterator[str]:
    for path in paths:
        if not any(pattern.fullmatch(posixpath.basename(path)) for pattern in patterns):
            yield path


def _above(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path).rstrip("/"):
        yield path
