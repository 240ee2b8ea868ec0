"""The last layers of an image, as its stage's instructions say: which path each of them holds."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baker.dockerfile.stages import Stage

FLAGS = re.compile(r"(--\S+ )*")
# These make no layer.
SETTINGS = ("CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "USER")


@dataclass(frozen=True, kw_only=True)
class TopLayer:
    """A layer that holds one path, and whether that is the project's own file; WORKDIR's has none and holds nothing."""

    path: str
    own: bool


def top_layers(stage: Stage) -> tuple[TopLayer, ...]:
    """Return the last layers of a stage, from the top, down to one that shares its folder with others.

    So does a whole tree, as a venv's; a file of several layers could not be told apart in it.
    """
    found: list[TopLayer] = []
    for layer in _layers(stage):
        if layer is None or any(_within(layer.path, other.path) or _within(other.path, layer.path) for other in found):
            break
        found.append(layer)
    return tuple(found)


def _layers(stage: Stage) -> Iterator[TopLayer | None]:
    """Yield a stage's layers from the top; None is one of which the instruction does not say what it holds."""
    for instruction in reversed(stage.instructions[1:]):
        keyword, _, rest = instruction.partition(" ")
        if keyword in SETTINGS:
            continue
        if keyword == "WORKDIR":
            yield TopLayer(path="", own=True)
            continue
        flags = FLAGS.match(rest)
        words = rest[flags.end() if flags else 0 :].split()
        if keyword != "COPY" or len(words) != 2 or words[1] == "/":  # noqa: PLR2004 - a source and a target
            yield None
            return
        source, target = words
        path = target + posixpath.basename(source) if target.endswith("/") else target
        yield TopLayer(path=path, own="--from=" not in (flags[0] if flags else ""))


def _within(path: str, folder: str) -> bool:
    return bool(path) and bool(folder) and f"{path}/".startswith(f"{folder}/")
