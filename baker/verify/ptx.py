"""PTX in a binary: what candle embeds, as text."""

from __future__ import annotations

import re
import tarfile
from typing import TYPE_CHECKING

from baker.config.cardtable import table
from baker.engine import containers
from baker.verify.checks import Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from baker.dockerfile.requirements import Requirements
    from baker.engine.interface import Engine

# The first two directives of each module: https://docs.nvidia.com/cuda/parallel-thread-execution/#ptx-module-directives
_MODULE = re.compile(rb"\.version[ \t]+([0-9]+\.[0-9]+)\s+(?://[^\n]*\n\s*)*\.target[ \t]+sm_([0-9]+)([af]?)")


def modules(binary: bytes) -> tuple[tuple[str, str], ...]:
    """Return the (version, target) of the PTX modules of a binary, each once, sorted: ("8.7", "sm_80")."""
    found = {(match[1].decode(), f"sm_{match[2].decode()}{match[3].decode()}") for match in _MODULE.finditer(binary)}
    return tuple(sorted(found))


def shown(found: Iterable[tuple[str, str]]) -> str:
    """Return modules as labels and people have them: "8.7 sm_80"."""
    return ", ".join(f"{version} {target}" for version, target in found)


def check(engine: Engine, reference: str, want: Requirements) -> Check:
    """See that each binary of an image holds the PTX that its label says, and none else."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for _, stream in containers.copied(engine, reference, ["/opt/baker/bin"]):
        with tarfile.open(fileobj=stream, mode="r|") as files:
            for member in files:
                content = files.extractfile(member) if member.isreg() else None
                name = member.name.rpartition("/")[2]
                if content is not None and name.startswith(f"{want.binary}-cuda-"):
                    found[name] = modules(content.read())
    return compare(found, want)


def compare(found: Mapping[str, tuple[tuple[str, str], ...]], want: Requirements) -> Check:
    """Return whether the PTX of binaries, by their names, is what a label says."""
    wanted = want.ptx.split(", ")
    by_name = {f"{want.binary}-cuda-{text.rpartition('sm_')[2]}": text for text in wanted}
    wrong = [
        f"{name} holds {shown(found.get(name, ())) or 'no PTX'}, the label says {text}"
        for name, text in sorted(by_name.items())
        if shown(found.get(name, ())) != text
    ]
    more = [f"{name}, which the label does not know" for name in sorted(set(found) - set(by_name))]
    known = table().toolkits.get(want.cuda)
    other = sorted({text.partition(" ")[0] for text in wanted} - {known.ptx}) if known else []
    false = [f"{version} is not the PTX of CUDA {want.cuda}, which the label says" for version in other]
    problems = [*wrong, *more, *false]
    return Check(name="ptx", passed=not problems, detail="; ".join(problems) or want.ptx)
