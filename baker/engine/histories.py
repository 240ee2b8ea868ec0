"""The history of an image, which has a line for each instruction, beside its layers, which only some of them made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from baker.engine.interface import Layer

if TYPE_CHECKING:
    from collections.abc import Sequence

# These instructions make a layer, the others only metadata; the line of an imported root has no instruction.
LAYERING = ("RUN", "COPY", "ADD", "WORKDIR")
SHELL = "/bin/sh -c "
# Builders before BuildKit write what changes only metadata, and COPY and ADD, as a comment of the shell.
COMMENT = "#(nop) "
ARGUMENTS = re.compile(r"^RUN \|\d+ (?:\S+=(?:\S| (?!/bin/))* )*")


def layers(digests: Sequence[str], history: Sequence[tuple[str, int]]) -> tuple[Layer, ...]:
    """Return the layers of an image.

    Args:
        digests: those of its layers, lowest first.
        history: instruction and bytes of each line of its history, oldest first.
    """
    made = [(text, size) for text, size in history if makes_layer(text)]
    if len(made) != len(digests):
        # A builder that we do not know: what has bytes is a layer, and where that does not fit, nobody can tell.
        made = [(text, size) for text, size in history if size]
    if len(made) != len(digests):
        made = [("", 0)] * len(digests)
    return tuple(
        Layer(digest=digest, size=size, instruction=readable(text))
        for digest, (text, size) in zip(digests, made, strict=True)
    )


def makes_layer(instruction: str) -> bool:
    """Whether a line of the history is a layer."""
    plain = instruction.removeprefix(SHELL)
    if plain != instruction and not plain.startswith((COMMENT, *LAYERING)):
        return True
    return not plain or plain.removeprefix(COMMENT).lstrip().startswith(LAYERING)


def readable(instruction: str) -> str:
    """Return an instruction as in a Dockerfile, on one line, without what the builder adds."""
    text = " ".join(instruction.removesuffix("# buildkit").split())
    if text.startswith(SHELL):
        plain = text.removeprefix(SHELL)
        return plain.removeprefix(COMMENT).strip() if plain.startswith((COMMENT, *LAYERING)) else f"RUN {plain}"
    return ARGUMENTS.sub("RUN ", text).replace(f"RUN {SHELL}", "RUN ", 1) if text.startswith("RUN ") else text
