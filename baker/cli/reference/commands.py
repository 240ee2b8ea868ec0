"""The command line as plain values: each command with its words, from the Typer app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer
from typer.main import get_command

from baker.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a shell proposes for a value, by its metavar; a metavar with "|" between small words lists the values themselves.
KINDS = {"FILE": "file", "PATH": "file", "FOLDER": "folder", "SERVICE": "service", "SERVICES": "service"}


@dataclass(frozen=True, kw_only=True)
class Block:
    """A paragraph of a help text.

    Attributes:
        text: a paragraph that flows, or the line before an example.
        lines: the lines of an example or a list, as they are written; empty for a paragraph that flows.
    """

    text: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """An option or an argument.

    Attributes:
        flags: how the option is written, the long form first; empty for an argument.
        value: the word for its value in help; empty for a flag.
        text: what it means, with its default.
        repeats: whether it may be given more than once.
        required: whether it must be given.
        kind: what a shell proposes for the value: file, folder, service, choice or nothing.
        choices: the values of the kind choice.
    """

    flags: tuple[str, ...]
    value: str
    text: str
    repeats: bool
    required: bool
    kind: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command of the command line; the first is `baker` itself.

    Attributes:
        name: all its words, as in "baker cache show".
        blocks: its help text; the first paragraph is the summary.
        notes: what stands below its help.
        arguments: what it takes without a flag.
        options: what it takes with one.
        commands: the last words of the commands below it, each with its summary.
    """

    name: str
    blocks: tuple[Block, ...]
    notes: str
    arguments: tuple[Parameter, ...]
    options: tuple[Parameter, ...]
    commands: tuple[tuple[str, str], ...]

    @property
    def summary(self) -> str:
        """The first paragraph of its help."""
        return self.blocks[0].text

    @property
    def usage(self) -> str:
        """The words after its name, as help shows them."""
        words = ["[OPTIONS]", *(_used(item) for item in self.arguments)]
        return " ".join([*words, *(["COMMAND"] if self.commands else [])])


def commands() -> tuple[Command, ...]:
    """Return every command, parents before their children, in the order of --help."""
    return tuple(_walk("baker", get_command(app), None))


def _walk(name: str, command: Any, above: typer.Context | None) -> Iterator[Command]:  # noqa: ANN401 - Typer's own
    call = typer.Context(command, info_name=name.rsplit(maxsplit=1)[-1], parent=above, **command.context_settings)
    shown = [item for item in command.get_params(call) if not item.hidden]
    below = {word: item for word, item in getattr(command, "commands", {}).items() if not item.hidden}
    yield Command(
        name=name,
        blocks=tuple(blocks(command.help)),
        notes=command.epilog or "",
        arguments=tuple(_parameter(item) for item in shown if item.param_type_name == "argument"),
        options=tuple(_parameter(item) for item in shown if item.param_type_name == "option"),
        commands=tuple((word, next(blocks(item.help)).text) for word, item in below.items()),
    )
    for word, item in below.items():
        yield from _walk(f"{name} {word}", item, call)


def blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of a help text in Typer's writing."""
    for part in text.replace("\\[", "[").strip().split("\n\n"):
        if part.startswith("\b\n"):
            title, *lines = part.removeprefix("\b\n").split("\n")
            yield Block(text=title, lines=tuple(line.removeprefix("  ") for line in lines))
        else:
            yield Block(text=" ".join(part.split()))


def _parameter(item: Any) -> Parameter:  # noqa: ANN401 - Typer's own
    flags = () if item.param_type_name == "argument" else (*item.opts, *item.secondary_opts)
    value = item.metavar or ""
    choices = tuple(value.split("|")) if "|" in value and value.islower() else ()
    kinds = [KINDS[word] for word in value.split("|") if word in KINDS]
    default = (
        ""
        if getattr(item, "is_flag", False) or item.default is None or item.default == ""
        else f" [default: {item.default}]"
    )
    return Parameter(
        flags=tuple(sorted(flags, key=lambda flag: not flag.startswith("--"))),
        value=value,
        text=item.help + default,
        repeats=item.multiple or item.nargs != 1,
        required=item.required,
        kind="choice" if choices else next(iter(kinds), ""),
        choices=choices,
    )


def _used(argument: Parameter) -> str:
    word = argument.value if argument.required else f"[{argument.value}]"
    return f"{word}..." if argument.repeats else word
