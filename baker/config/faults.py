"""What is wrong with the values of a file, said with file, table, key and legal values.

msgspec says whether values fit a model; where they do not, the first fault is looked for here, along the model.
"""

from __future__ import annotations

import re
import reprlib
import types
import typing
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from baker.system.suggestion import closest

if TYPE_CHECKING:
    from collections.abc import Iterator

# Line breaks and other characters that no terminal, Dockerfile or shell script takes as text.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
LOGIN = re.compile(r"//[^/\s]*@")
# Stands for an item of an array among keys.
ITEM = None
# No file of ours is half as deep.
DEEPEST = 20


def shown(value: object) -> str:
    """Return a value for a message: on one line, shortened, without a login."""
    if isinstance(value, bool):
        return str(value).lower()
    short = reprlib.Repr()
    short.maxstring = short.maxother = 100
    return re.sub(r"[^\s/'\"]*:[^\s/'\"]*@", "…@", short.repr(value))


def plain(hint: Any) -> Any:  # noqa: ANN401 - a type, as typing has it
    """Return a type without Annotated and without None."""
    if typing.get_origin(hint) is Annotated:
        hint = typing.get_args(hint)[0]
    if isinstance(hint, types.UnionType):
        kinds = [kind for kind in typing.get_args(hint) if kind is not types.NoneType]
        return plain(kinds[0]) if len(kinds) == 1 else hint
    return hint


def said(hint: object, name: str) -> Any:  # noqa: ANN401 - a word or several
    """Return what the metadata of a type say under a name, empty where they say nothing."""
    metas = typing.get_args(hint)[1:] if typing.get_origin(hint) is Annotated else ()
    return next((meta.extra[name] for meta in metas if meta.extra and name in meta.extra), "")


def kind(hint: object) -> str:
    """Return what values of a type are called: "an absolute path"."""
    bare = plain(hint)
    if typing.get_origin(bare) is Literal:
        return "one of " + ", ".join(repr(word) for word in typing.get_args(bare))
    names: dict[object, str] = {str: "a string", int: "a whole number", bool: "true or false", Path: "a path"}
    return str(said(hint, "noun") or names.get(bare, "a string"))


def like(hint: object) -> str:
    """Return ", as in …" with an example of a type, empty where there is none."""
    example = said(hint, "like")
    return f", as in {example}" if example else ""


def made(kind: type[Any], value: object) -> object:
    """Return a value of a type that msgspec does not know: paths and those of values.py are made from text."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return kind(value)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place in a file: the keys that lead to it, ITEM for an item of an array.

    `part` says that the file is a part of what the model describes: what is required may be missing.
    """

    file: str
    part: bool = False
    names: tuple[str | None, ...] = ()

    def into(self, name: str | None) -> Place:
        """Return the place of a key, or of an ITEM, in this one."""
        return replace(self, names=(*self.names, name))

    @property
    def table(self) -> str:
        """The file and the table, as TOML writes it: baker.toml [build], service.toml [[image.files]]."""
        name = ".".join(name for name in self.names if name is not ITEM)
        if not name:
            return self.file
        return f"{self.file} [[{name}]]" if self.names[-1] is ITEM else f"{self.file} [{name}]"

    def said(self, value: object) -> str:
        """Return "baker.toml [build]: 'base' is 1", for what is no table."""
        if not self.names:
            return f"{self.file}: {shown(value)}"
        many = self.names[-1] is ITEM
        names = self.names[:-1] if many else self.names
        verb = "has" if many else "is"
        return f"{replace(self, names=names[:-1]).table}: {names[-1]!r} {verb} {shown(value)}"


def bad_texts(values: object, place: Place) -> Iterator[str]:
    """Yield what is wrong with any text of a file, whatever its key: control characters, logins in URLs."""
    queue = [(values, place)]
    while queue:
        value, place = queue.pop()
        if len(place.names) > DEEPEST:
            yield f"{place.file}: arrays or tables are nested too deeply"
            return
        if isinstance(value, dict):
            for key in value:
                if CONTROL.search(key):
                    yield f"{place.table}: the key {shown(key)} has a line break or another control character"
            queue += [(item, place.into(key)) for key, item in reversed(value.items())]
        elif isinstance(value, list):
            queue += [(item, place.into(ITEM)) for item in reversed(value)]
        elif isinstance(value, str) and CONTROL.search(value):
            yield f"{place.said(value)}, which has a line break or another control character; write it on one line"
        elif isinstance(value, str) and LOGIN.search(value):
            where = place.said("…").removesuffix(" '…'")
            yield (
                f"{where} a URL with a login in it, which would reach images and logs: leave it out, and put it into a "
                'netrc file that baker.toml names ([secrets] netrc = "~/.netrc")'
            )


def first(value: object, hint: object, place: Place) -> str:
    """Return what is the first thing wrong with a value, empty where nothing is."""
    bare = plain(hint)
    origin = typing.get_origin(bare)
    if isinstance(bare, type) and issubclass(bare, msgspec.Struct):
        return _table_fault(value, bare, place)
    if origin is tuple:
        return _array_fault(value, bare, place)
    if origin is dict:
        return _dict_fault(value, bare, place)
    try:
        msgspec.convert(value, hint, dec_hook=made)
    except msgspec.ValidationError:
        if origin is Literal and isinstance(value, str):
            return f"{place.said(value)}, an unknown value; {closest(value, typing.get_args(bare))}"
        return f"{place.said(value)}, where {kind(hint)} belongs{like(hint)}"
    return ""


def _table_fault(value: object, model: type[msgspec.Struct], place: Place) -> str:
    if not isinstance(value, dict):
        return f"{place.said(value)}, where a table belongs"
    fields = {field.encode_name: field for field in _fields(model)}
    faults = (first(value[name], field.type, place.into(name)) for name, field in fields.items() if name in value)
    fault = _key_fault(value, model, place) or next(filter(None, faults), "")
    if fault or place.part:
        return fault
    try:
        msgspec.convert(value, model, dec_hook=made)
    except msgspec.ValidationError as error:
        return f"{place.table}: {reason(error)}"
    return ""


@cache
def _fields(model: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """Return the fields of a model; msgspec resolves the annotations anew each time."""
    return msgspec.structs.fields(model)


def _key_fault(value: dict[str, object], model: type[msgspec.Struct], place: Place) -> str:
    """Return the first key that is unknown or missing."""
    fields = _fields(model)
    legal = [field.encode_name for field in fields]
    for key in value if model.__struct_config__.forbid_unknown_fields else ():
        if key not in legal:
            table = not place.names and isinstance(value[key], dict)
            return f"{place.table}: unknown {f'table [{key}]' if table else f'key {key!r}'}; {closest(key, legal)}"
    # What an item of an array lacks is not inherited.
    whole = not place.part or ITEM in place.names
    missing = (field.encode_name for field in fields if whole and field.required and field.encode_name not in value)
    return next((f"{place.table}: {name!r} is missing" for name in missing), "")


def _array_fault(value: object, bare: object, place: Place) -> str:
    if not isinstance(value, list):
        return f"{place.said(value)}, where an array belongs"
    faults = (first(item, typing.get_args(bare)[0], place.into(ITEM)) for item in value)
    return next(filter(None, faults), "")


def _dict_fault(value: object, bare: object, place: Place) -> str:
    if not isinstance(value, dict):
        return f"{place.said(value)}, where a table belongs"
    keys, items = typing.get_args(bare)
    for key, item in value.items():
        try:
            msgspec.convert(key, keys)
        except msgspec.ValidationError:
            legal = said(keys, "legal")
            if legal:
                return f"{place.table}: unknown key {key!r}; {closest(key, legal)}"
            return f"{place.table}: the key is {shown(key)}, where {kind(keys)} belongs{like(keys)}"
        fault = first(item, items, place.into(key))
        if fault:
            return fault
    return ""


def reason(error: Exception) -> str:
    """Return msgspec's message without its own notation of the place."""
    return str(error).partition(" - at `")[0]
