"""How help is shown: docstrings as they are written, and plain words for values in place of Python's types."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, Literal

from typer.core import TyperCommand, TyperGroup

# What is piped or logged gets plain lines: no frames, no colours, no width of a terminal.
MARKUP: Literal["rich"] | None = "rich" if sys.stdout.isatty() and sys.stderr.isatty() else None
# What stands for a value whose option has no metavar of its own.
WORDS = {Path: "PATH", int: "N"}


def as_written(text: str) -> str:
    """Return a docstring as Typer's help: indented lines stay lines, other paragraphs flow, brackets are no markup."""
    paragraphs = (re.sub(r"\[(?=[a-z/])", r"\\[", text) if MARKUP else text).split("\n\n")
    kept = (f"\b\n{item}" if "\n  " in item else item.replace("\n", " ") for item in paragraphs)
    return "\n\n".join(kept)


def with_words(parameters: list[Any]) -> list[Any]:
    """Return the parameters of a command, each with a metavar; flags take no value, and get an empty one."""
    for item in parameters:
        if item.param_type_name == "argument":
            item.display_type_rich = _nothing
        elif item.metavar is None:
            item.metavar = "" if item.is_flag else WORDS.get(item.type_descriptor.annotation, "TEXT")
    return parameters


def _nothing(ctx: object) -> None:
    """Stand for the type of an argument, whose metavar says enough."""


class Command(TyperCommand):
    """A command whose help names values in plain words."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - Typer's context, of a module of its own
        """Return the parameters, the one for help included."""
        return with_words(super().get_params(ctx))


class Group(TyperGroup):
    """A group of commands whose help names values in plain words."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - Typer's context, of a module of its own
        """Return the parameters, the one for help included."""
        return with_words(super().get_params(ctx))
