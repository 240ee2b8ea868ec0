"""`python -m baker.cli.reference`, which is `make reference`: write every file that is made from the code.

These are the files of baker.config.reference, which come from the models, and those of this package.
"""

from __future__ import annotations

from pathlib import Path

from baker.cli.reference import files
from baker.config import reference as settings

ROOT = Path(__file__).parents[3]

for path, text in {**settings.files(ROOT), **files.files(ROOT)}.items():
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(f"wrote {path.relative_to(ROOT)}")  # noqa: T201 - a script's result
