"""The files that are written from the command line: one template for each."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from baker import __version__
from baker.cli.reference.commands import commands

if TYPE_CHECKING:
    from baker.cli.reference.commands import Command

TEMPLATES = Path(__file__).parent / "templates"
# Below share/, as a wheel installs them below its prefix; shells and man look in such folders.
FILES = {
    "docs/commands.md": "commands.md.j2",
    "share/man/man1/baker.1": "baker.1.j2",
    "share/bash-completion/completions/baker": "bash.j2",
    "share/zsh/site-functions/_baker": "zsh.j2",
    "share/fish/vendor_completions.d/baker.fish": "fish.j2",
}
WIDTH = 120


def files(root: Path) -> dict[Path, str]:
    """Return every file of a checkout that is written here, with its text."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=False,  # noqa: S701 - no page is HTML
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        anchor=anchor,
        bracketed=bracketed,
        colons=colons,
        fish=fish,
        flowed=flowed,
        quoted=quoted,
        roff=roff,
        sentence=sentence,
    )
    made = commands()
    values = {"commands": made, "version": __version__, "leaves": tuple(item for item in made if not item.commands)}
    return {root / name: environment.get_template(template).render(values) for name, template in FILES.items()}


def flowed(text: str, indent: str = "") -> str:
    """Return a paragraph of Markdown in lines."""
    return "\n".join(
        textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)
    )


def anchor(command: Command) -> str:
    """Return the fragment of a command's heading in Markdown."""
    return command.name.replace(" ", "-")


def roff(text: str, *, fill: bool = True) -> str:
    r"""Return text for a manual page, in which only `code` is markup: bold.

    A hyphen is written \-, so that options can be copied. See man(7) and groff_char(7).

    Args:
        text: a paragraph, or a line.
        fill: whether it may be broken into lines, as a paragraph may.
    """
    for letter, written in (("\\", "\\e"), ("-", "\\-"), ("'", "\\(aq"), ("~", "\\(ti"), ("^", "\\(ha")):
        text = text.replace(letter, written)
    parts = (part if number % 2 == 0 else rf"\fB{part}\fR" for number, part in enumerate(text.split("`")))
    made = "".join(parts)
    lines = textwrap.wrap(made, 78, break_on_hyphens=False, break_long_words=False) if fill else [made]
    # A line that begins with a full stop would be a macro.
    return "\n".join(f"\\&{line}" if line.startswith(".") else line for line in lines)


def quoted(text: str) -> str:
    """Return text between single quotes, as bash and zsh read them."""
    return "'" + text.replace("'", "'\\''") + "'"


def fish(text: str) -> str:
    """Return text between single quotes, as fish reads them."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def bracketed(text: str) -> str:
    """Return a description for _arguments of zsh, which reads brackets and colons."""
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def colons(text: str) -> str:
    """Return a description for _describe of zsh, which reads colons."""
    return text.replace(":", "\\:")


def sentence(text: str) -> str:
    """Return the first sentence of a text, without its full stop: a shell shows one line."""
    return text.partition(". ")[0].rstrip(".")
