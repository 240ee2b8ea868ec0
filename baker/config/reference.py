"""What is written from the models of the files: JSON Schemas for editors, defaults.toml, and the reference page.

What comes from the table of cards is written with it. `make reference` writes all of it into the checkout.
"""

from __future__ import annotations

import inspect
import json
import textwrap
import typing
from typing import TYPE_CHECKING, Any

import msgspec

from baker.config import cardpage, faults, values
from baker.config.pins import Pins
from baker.config.service import ServiceToml
from baker.config.settings import BakerToml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WIDTH = 120
FILES: dict[str, type[msgspec.Struct]] = {"baker.toml": BakerToml, "service.toml": ServiceToml, "baker.lock": Pins}
SCHEMAS = {"baker.toml": "baker.json", "service.toml": "service.json", "baker.lock": "lock.json"}
HEAD = """\
# Settings

The files of a project, with every table and key. `make reference` writes this page from the models in baker/config.
`baker init` lays out a project whose files name their JSON Schemas, for editors that know `#:schema`.

The project of another user is refused, as git does it, since a project says what is run. `BAKER_SAFE_DIRECTORY` in the
environment names folders that are trusted all the same, with ":" between them; "*" is all of them.
"""


def schema(file: str) -> str:
    """Return the JSON Schema of a file."""
    found = msgspec.json.schema(FILES[file], schema_hook=_custom)
    if file == "service.toml":
        # What is missing may be inherited.
        for name, table in found["$defs"].items():
            if name != "File":
                table.pop("required", None)
    top = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": file}
    return json.dumps({**top, **found}, indent=1) + "\n"


def defaults() -> str:
    """Return defaults.toml: every key of baker.toml with its default and what it means."""
    lines = [
        f"#:schema schemas/{SCHEMAS['baker.toml']}",
        *_comment(
            "Every option of baker.toml with its default. `baker init` copies it; keep the lines that you change."
        ),
    ]
    for table in msgspec.structs.fields(BakerToml):
        kind = faults.plain(table.type)
        lines += ["", *_comment(_doc(kind)), f"[{table.encode_name}]"]
        for field in msgspec.structs.fields(kind):
            lines += [*_comment(_about(field.type)), f"{field.encode_name} = {json.dumps(field.default)}"]
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the reference page."""
    parts = [HEAD]
    for file, kind in FILES.items():
        parts += [f"## {file}\n\n{_doc(kind)}\n", *_tables(kind, "")]
    return "\n".join(parts)


def files(root: Path) -> dict[Path, str]:
    """Return all files of a checkout that are written here, with their texts."""
    config, publish = root / "baker" / "config", root / ".github" / "workflows" / "publish.yml"
    return {
        **{config / "schemas" / name: schema(file) for file, name in SCHEMAS.items()},
        config / "defaults.toml": defaults(),
        root / "docs" / "settings.md": page(),
        root / "docs" / "cards.md": cardpage.current(),
        publish: cardpage.workflow(publish.read_text(encoding="utf-8")),
    }


def _tables(kind: type[msgspec.Struct], name: str) -> Iterator[str]:
    """Yield a section for a table and each table in it; those with names of the user's own are `[crates.NAME]`."""
    keys, tables = [], []
    for field in msgspec.structs.fields(kind):
        inner, form = _inner(field.type)
        path = f"{name}.{field.encode_name}" if name else field.encode_name
        if inner is None:
            keys.append(_key(field))
        else:
            tables += [f"### `{form.format(path)}`\n\n{_doc(inner)}\n", *_tables(inner, path)]
    if keys:
        yield "\n".join(keys) + "\n"
    yield from tables


def _inner(hint: Any) -> tuple[type[msgspec.Struct] | None, str]:  # noqa: ANN401 - a type, as typing has it
    """Return the model of a table that a type stands for, and how TOML writes its name; None where it is no table."""
    bare = faults.plain(hint)
    if isinstance(bare, type) and issubclass(bare, msgspec.Struct):
        return bare, "[{}]"
    if typing.get_origin(bare) in (tuple, dict):
        inner, _ = _inner(typing.get_args(bare)[-1 if typing.get_origin(bare) is dict else 0])
        return inner, "[[{}]]" if typing.get_origin(bare) is tuple else "[{}.NAME]"
    return None, ""


def _key(field: msgspec.structs.FieldInfo) -> str:
    has = field.default is not msgspec.NODEFAULT
    default = f", default `{json.dumps(field.default)}`" if has else ", required" if field.required else ""
    text = f"- `{field.encode_name}` ({_kind(field.type)}{default}): {_about(field.type)}"
    return "\n".join(textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False))


def _kind(hint: Any) -> str:  # noqa: ANN401 - a type, as typing has it
    bare = faults.plain(hint)
    if typing.get_origin(bare) is tuple:
        return f"list: {_kind(typing.get_args(bare)[0])}"
    if typing.get_origin(bare) is dict:
        return f"table: {_kind(typing.get_args(bare)[1])} by {_kind(typing.get_args(bare)[0])}"
    legal = faults.said(hint, "legal")
    return f"{' or '.join(legal)}" if legal else faults.kind(hint) + faults.like(hint)


def _about(hint: Any) -> str:  # noqa: ANN401 - a type, as typing has it
    metas = typing.get_args(hint)[1:] if typing.get_origin(hint) is typing.Annotated else ()
    return next((meta.description for meta in reversed(metas) if meta.description), "")


def _doc(kind: type) -> str:
    """Return a model's docstring with its lines joined."""
    return " ".join((inspect.getdoc(kind) or "").split())


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, WIDTH - 2, break_on_hyphens=False)]


def _custom(kind: type) -> dict[str, str]:
    return {"type": "string", "pattern": values.SIZE} if kind is values.Size else {"type": "string"}
