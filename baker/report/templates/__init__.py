"""The templates of reports, and how they are filled in."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2
from rich.filesize import decimal

from baker.system.units import duration


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"duration": duration, "bytes": decimal}
    return environment


def render(template: str, **values: object) -> str:
    """Return a template with its values; everything in them is escaped."""
    return _environment().get_template(template).render(**values)
