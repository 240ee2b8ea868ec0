"""Quoting: one function for each place of a Dockerfile that a value can stand in.

The rules are those of BuildKit's parser and shell lexer: line_parsers.go and lex.go in
https://github.com/moby/buildkit/tree/master/frontend/dockerfile. An instruction is one line, so that no value outside
of JSON can have a line break.
"""

from __future__ import annotations

import json
import re
import shlex
import unicodedata
from typing import TYPE_CHECKING

from baker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
# What COPY reads as a pattern, and Go's filepath.Match takes as it stands after a backslash.
PATTERN = re.compile(r"([\\*?\[])")
# What the builder's lexer reads outside of quotes.
LEXED = re.compile(r"([\\\"'$])")


def env(name: str, value: str) -> str:
    """Return NAME=VALUE for ENV, where the builder expands variables and takes quotes away."""
    return f"{_name(name)}={value if PLAIN.fullmatch(value) else _in_quotes(value)}"


def label(name: str, value: str) -> str:
    """Return NAME="VALUE" for LABEL, which the builder reads as it reads ENV."""
    return f"{_name(name)}={_in_quotes(value)}"


def folder(value: str) -> str:
    """Return a path for WORKDIR, which the builder reads as it reads a value of ENV."""
    return value if PLAIN.fullmatch(value) else _in_quotes(value)


def copied(source: str, target: str) -> str:
    """Return source and target of a COPY. The builder lexes both, in JSON too, and reads the source as a pattern."""
    if PLAIN.fullmatch(source) and PLAIN.fullmatch(target):
        return f"{source} {target}"
    escaped = PATTERN.sub(r"\\\1", _one_line(source))
    return _json([LEXED.sub(r"\\\1", escaped), LEXED.sub(r"\\\1", _one_line(target))])


def source(arguments: str) -> str:
    """Return the source of what copied() made."""
    if not arguments.startswith("["):
        return arguments.split(maxsplit=1)[0]
    written = str(json.loads(arguments)[0])
    for escaped in (LEXED, PATTERN):
        written = re.sub(rf"\\{escaped.pattern}", r"\1", written)
    return written


def mounted(value: str) -> str:
    """Return a path for --mount. What its three parsers do with anything else is not worth knowing."""
    if not PLAIN.fullmatch(value) or "," in value:
        raise UsageError(f"{value!r}: a folder that a build mounts has letters, digits and '@%+=:./_-' in its name")
    return value


def word(value: str) -> str:
    """Return a word for the shell of RUN; the builder itself expands nothing there."""
    return shlex.quote(_one_line(value))


def words(values: Iterable[str]) -> str:
    """Return words for the shell of RUN."""
    return " ".join(map(word, values))


def comment(text: str) -> str:
    """Return text for a comment, on one line."""
    return " ".join(text.split())


def exec_form(arguments: Iterable[str]) -> str:
    """Return the exec form of ENTRYPOINT, CMD and HEALTHCHECK: JSON, in which the builder expands nothing."""
    return _json(list(arguments))


FILTERS: dict[str, Callable[..., str]] = {
    "comment": comment,
    "exec_form": exec_form,
    "folder": folder,
    "mounted": mounted,
    "word": word,
    "words": words,
}
FUNCTIONS: dict[str, Callable[..., str]] = {"env": env, "label": label, "copied": copied}


def _name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name of a variable or label: letters, digits, '_', '.' and '-'")
    return name


def _in_quotes(value: str) -> str:
    return '"' + re.sub(r"([\\\"$])", r"\\\1", _one_line(value)) + '"'


def _one_line(value: str) -> str:
    for character in value:
        if unicodedata.category(character) in ("Cc", "Cs"):
            raise UsageError(f"{value!r}: an instruction of a Dockerfile is one line, without {character!r}")
    return value


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
