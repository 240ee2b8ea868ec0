"""The registry of bases: each has a row, templates and settings."""

from __future__ import annotations

import pytest

from baker.config import settings
from baker.config.service import BASES as KEYS
from baker.dockerfile.bases import BASES, mirrored
from baker.dockerfile.render import TEMPLATES


def test_every_base_has_a_row_templates_and_a_word_in_the_settings():
    assert {*BASES, "auto"} == set(settings.BASES)
    assert set(BASES) == set(KEYS)
    for name in BASES:
        assert (TEMPLATES / f"bases/{name}.j2").is_file()
        assert (TEMPLATES / f"bases/{name}-builder.j2").is_file()


@pytest.mark.parametrize(
    ("registry", "reference"),
    [("", "nvidia/cuda:1"), ("mirror:5000", "mirror:5000/nvidia/cuda:1"), ("m.x/hub/", "m.x/hub/nvidia/cuda:1")],
)
def test_a_registry_before_every_reference(registry, reference):
    assert mirrored("nvidia/cuda:1", registry) == reference
