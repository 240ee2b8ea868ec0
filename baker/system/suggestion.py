"""What a person may have meant by a word that is unknown."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def closest(word: str, legal: Iterable[str], others: str = "") -> str:
    """Return "did you mean …?" with the closest legal word, or else `others`, or else the list of all of them."""
    words = sorted(legal)
    near = difflib.get_close_matches(word, words, n=1)
    return f"did you mean {near[0]!r}?" if near else others or f"one of: {', '.join(words)}"
