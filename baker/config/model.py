"""Typed models of files: msgspec checks values against them; a fault is said with file, table, key, legal values.

A model is a `Table`; its fields have types of values.py. A key is the field's name with "-" in place of "_".
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from baker.config import faults
from baker.errors import UsageError

T = TypeVar("T")


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """A table of a file. A subclass says `kw_only=True`, which msgspec does not inherit.

    Copies with other values are made by `msgspec.structs.replace`; dataclasses' functions do not know models.
    """


def about(text: str) -> msgspec.Meta:
    """Return what the reference says about a key."""
    return msgspec.Meta(description=text)


def read(model: type[T], values: object, file: str, *, texts: bool = True) -> T:
    """Return the values of a file as a model.

    `texts` says that no text of the file may have control characters or logins; what other programs write may.

    Raises:
        UsageError: a key or a value is not what the model says.
    """
    place = faults.Place(file=file)
    try:
        fault = next(faults.bad_texts(values, place), "") if texts else ""
        if not fault:
            return msgspec.convert(values, model, dec_hook=faults.made)
    except msgspec.ValidationError as error:
        fault = faults.first(values, model, place) or f"{file}: {faults.reason(error)}"
    except RecursionError:
        fault = f"{file}: arrays or tables are nested too deeply"
    raise UsageError(fault)


def check_part(model: type[msgspec.Struct], values: object, file: str) -> None:
    """Check the values of a file of which keys may be missing, since another file has them, or raise UsageError."""
    place = faults.Place(file=file, part=True)
    fault = next(faults.bad_texts(values, place), "") or faults.first(values, model, place)
    if fault:
        raise UsageError(fault)


def check(value: T, hint: object, where: str) -> T:
    """Return a value that a type of values.py takes, or raise UsageError; `where` names the option."""
    if isinstance(value, str) and faults.CONTROL.search(value):
        raise UsageError(f"{where}: {faults.shown(value)} has a line break or another control character")
    fault = faults.first(value, hint, faults.Place(file=where))
    if fault:
        raise UsageError(fault)
    return value
