"""Reading a Dockerfile as BuildKit does, written from its rules and apart from baker's quoting.

The sources of the rules: parser/parser.go (lines, comments, flags, JSON), parser/line_parsers.go (words of ENV and
LABEL), shell/lex.go (quotes, escapes, variables) in https://github.com/moby/buildkit/tree/master/frontend/dockerfile.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

# Of bufio.ScanLines: a line ends with \n, before which a \r is dropped.
CONTINUED = re.compile(r"([^\\])\\[ \t]*$|^\\[ \t]*$")
COMMENT = re.compile(r"^[ \t]*#.*$")
EXEC = ("CMD", "ENTRYPOINT", "SHELL", "COPY", "ADD", "RUN")


@dataclass(frozen=True)
class Instruction:
    """An instruction: its keyword, its flags and the values that come after them."""

    keyword: str
    flags: tuple[str, ...]
    values: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...] = ()


def read(text: str) -> list[Instruction]:
    found, pending = [], ""
    for raw in text.split("\n"):
        line = raw.removesuffix("\r")
        if COMMENT.match(line) or (not line.strip(" \t") and not pending):
            continue
        if CONTINUED.search(line):
            pending += CONTINUED.sub(r"\1", line)
            continue
        found.append(_instruction((pending + line).strip()))
        pending = ""
    assert not pending
    return found


def _instruction(line: str) -> Instruction:
    keyword, _, rest = line.partition(" ")
    flags, rest = _flags(rest.lstrip())
    if keyword in ("ENV", "LABEL"):
        pairs = tuple((lexed(name), lexed(value)) for name, _, value in (one.partition("=") for one in words(rest)))
        return Instruction(keyword, flags, (), pairs)
    if keyword == "HEALTHCHECK":
        assert rest.startswith("CMD ")
        rest = rest.removeprefix("CMD ")
    if keyword in (*EXEC, "HEALTHCHECK") and rest.startswith("["):
        values = tuple(json.loads(rest))
        return Instruction(keyword, flags, tuple(map(lexed, values)) if keyword in ("COPY", "ADD") else values)
    if keyword in ("COPY", "ADD"):
        return Instruction(keyword, flags, tuple(lexed(value) for value in rest.split()))
    return Instruction(keyword, flags, (lexed(rest) if keyword in ("WORKDIR", "USER", "EXPOSE") else rest,))


def _flags(rest: str) -> tuple[tuple[str, ...], str]:
    flags = []
    while match := re.match(r"(--\S+)\s*", rest):
        assert not re.search(r"[\\\"']", match[1]), "no flag of baker's needs quotes"
        flags.append(match[1])
        rest = rest[match.end() :]
    return tuple(flags), rest


def words(rest: str) -> list[str]:
    """Split as parseWords does: at spaces outside of quotes; quotes and backslashes stay."""
    found, word, quote, at = [], "", "", 0
    while at < len(rest):
        character = rest[at]
        if quote:
            quote = "" if character == quote else quote
        elif character.isspace():
            found += [word] if word else []
            word, at = "", at + 1
            continue
        elif character in "'\"":
            quote = character
        if character == "\\" and at + 1 < len(rest):
            at += 1
            character += rest[at]
        word, at = word + character, at + 1
    assert not quote
    return [*found, word] if word else found


def lexed(word: str) -> str:
    """Process a word as the shell lexer does. What it would expand becomes a NUL, which no value has."""
    result, at = "", 0
    while at < len(word):
        character = word[at]
        at += 1
        if character == "'":
            end = word.index("'", at)
            result, at = result + word[at:end], end + 1
        elif character == '"':
            while word[at] != '"':
                if word[at] == "\\" and word[at + 1] in '"$\\':
                    at += 1
                    result, at = result + word[at], at + 1
                    continue
                result, at = result + ("\0" if word[at] == "$" else word[at]), at + 1
            at += 1
        elif character == "\\":
            result, at = result + word[at], at + 1
        else:
            result += "\0" if character == "$" else character
    return result
