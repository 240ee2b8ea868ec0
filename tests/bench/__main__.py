"""`make bench`: measure and print a Markdown table, or JSON."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from tests.bench.measure import table
from tests.bench.subjects import SUBJECTS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=SUBJECTS, action="append", help="measure only this; may be given again")
    parser.add_argument("--runs", type=int, default=7, help="runs of each side that count")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [row for name in options.only or SUBJECTS for row in SUBJECTS[name](options.runs)]
    sys.stdout.write((json.dumps([asdict(row) for row in rows], indent=2) if options.json else table(rows)) + "\n")


if __name__ == "__main__":
    main()
