"""`make bench`: measure and print a Markdown table, or JSON."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from baker.errors import BakerError
from tests.bench.commands import help_page, rebuild
from tests.bench.images import sizes, start
from tests.bench.measure import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.measure import Row

SUBJECTS: dict[str, Callable[[int], Iterator[Row]]] = {
    "sizes": sizes,
    "help": help_page,
    "start": start,
    "rebuild": rebuild,
}
RUNS, QUICK = 7, 2


def main() -> None:
    options = parsed()
    try:
        rows = [row for name in options.only or SUBJECTS for row in SUBJECTS[name](options.runs)]
    except (BakerError, TimeoutError) as error:
        sys.exit(f"bench: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"bench: {error}\n{error.output.decode(errors='replace')}")
    sys.stdout.write((json.dumps([asdict(row) for row in rows], indent=2) if options.json else table(rows)) + "\n")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=SUBJECTS, action="append", help="measure only this; may be given again")
    parser.add_argument("--runs", type=positive, default=RUNS, help=f"runs of each side that count ({RUNS})")
    parser.add_argument("--quick", dest="runs", action="store_const", const=QUICK, help=f"the same as --runs {QUICK}")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


if __name__ == "__main__":
    main()
