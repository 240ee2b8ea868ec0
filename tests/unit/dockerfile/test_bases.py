"""The registry of bases: each has a row, templates and settings."""

from __future__ import annotations

from baker.config import settings
from baker.config.service import BASES as KEYS
from baker.dockerfile.bases import BASES
from baker.dockerfile.render import TEMPLATES


def test_every_base_has_a_row_templates_and_a_word_in_the_settings():
    assert {*BASES, "auto"} == set(settings.BASES)
    assert set(BASES) == set(KEYS)
    for name in BASES:
        assert (TEMPLATES / f"bases/{name}.j2").is_file()
        assert (TEMPLATES / f"bases/{name}-builder.j2").is_file()
