"""Reading TOML strictly: each value has a type, and a key that nothing asked for is an error with a suggestion."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, TypeVar

from baker.errors import UsageError

T = TypeVar("T")


def read(path: Path) -> Table:
    """Read a TOML file.

    Raises:
        UsageError: it is missing or no TOML; the message names the file and the line.
    """
    try:
        return Table(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 text: {error.reason} at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from error


def closest(word: str, legal: list[str]) -> str:
    """Return "; did you mean …?" with the closest legal word, or the list of them."""
    near = difflib.get_close_matches(word, legal, n=1)
    return f"did you mean {near[0]!r}?" if near else f"one of: {', '.join(sorted(legal))}"


@dataclass(kw_only=False)
class Table:
    """A TOML table that remembers which of its keys were asked for. `where` names file and table in messages."""

    values: dict[str, Any]
    where: str
    asked: set[str] = field(default_factory=set)

    def _get(self, key: str, kind: type[T], default: T | None) -> T:
        self.asked.add(key)
        value = self.values.get(key, default)
        if value is None:
            raise UsageError(f"{self.where}: {key!r} is missing")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise UsageError(f"{self.where}: {key!r} is {value!r}, where a {_name(kind)} belongs")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """Return a string; without a default the key must be there."""
        return self._get(key, str, default)

    def integer(self, key: str, default: int | None = None) -> int:
        """Return a whole number; without a default the key must be there."""
        return self._get(key, int, default)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        return self._get(key, bool, default)

    def strings(self, key: str, default: tuple[str, ...] | None = ()) -> tuple[str, ...]:
        """Return an array of strings."""
        found = self._get(key, list, None if default is None else list(default))
        for item in found:
            if not isinstance(item, str):
                raise UsageError(f"{self.where}: {key!r} holds {item!r}, where a string belongs")
        return tuple(found)

    def groups(self, key: str) -> tuple[tuple[str, ...], ...]:
        """Return an array of arrays of strings."""
        found = self._get(key, list, [])
        return tuple(Table({key: item}, self.where).strings(key) for item in found)

    def path(self, key: str) -> Path:
        """Return a path; whoever read the file has made it absolute."""
        return self._get(key, PurePath, None)  # type: ignore[return-value]

    def paths(self, key: str) -> tuple[Path, ...]:
        """Return an array of such paths."""
        return tuple(self._get(key, list, []))

    def words(self) -> dict[str, str]:
        """Return the whole table as strings by key."""
        return {key: self.text(key) for key in sorted(self.values)}

    def table(self, key: str) -> Table:
        """Return a table; an empty one where it is missing."""
        return Table(self._get(key, dict, {}), f"{self.where} [{key}]")

    def tables(self, key: str) -> tuple[Table, ...]:
        """Return an array of tables."""
        found = self._get(key, list, [])
        for item in found:
            if not isinstance(item, dict):
                raise UsageError(f"{self.where}: {key!r} holds {item!r}, where a table belongs")
        return tuple(Table(item, f"{self.where} [[{key}]]") for item in found)

    def end(self) -> None:
        """Raise UsageError when the table has a key that nothing asked for."""
        for key in self.values:
            if key not in self.asked:
                raise UsageError(f"{self.where}: unknown key {key!r}; {closest(key, sorted(self.asked))}")


def _name(kind: type[object]) -> str:
    names = {str: "string", int: "whole number", bool: "true or false", list: "array", dict: "table"}
    return names.get(kind, kind.__name__)
