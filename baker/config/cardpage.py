"""What is written from the table of cards: docs/cards.md, and the matrix of the workflow that publishes images."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from baker.config import measured
from baker.config.cardtable import dotted, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from baker.config.cardtable import Row
    from baker.config.measured import Measurement

OWN = "With the lock for [CUDA 13](cuda13.md) it builds with 13.0 too."
HEAD = """\
# Cards

Which cards baker's images run on. `make reference` writes this page from `baker/config/cards.toml` and from the results
in `baker/config/measured`.

`baker fit` says what the cards and the driver of a machine run: which published tag to take, from the labels in the
registry and before anything is pulled, and what to build with. `--card` names a card that is in another machine:

```sh
baker fit                                  # this machine
baker fit stt --card "RTX 3090"            # a card, by its name or by its capability, as in 8.6
baker fit ghcr.io/team/stt:latest --card T4 --driver 550.54.14
```

A binary has PTX for one compute capability. It runs on cards of that capability and newer, and the driver compiles it
at the first start. The driver must take the PTX of the CUDA toolkit that made it, and it must know the card.
"""
MEASURED = """\
## Measured

Each JSON file in `baker/config/measured` is a result of the [smoke test](smoke.md) from a machine with a card. `make
reference` makes a row of it. The seconds and the MiB are those of the test's tiny model. At the first start the driver
compiles the binary's PTX; later starts find that in `CUDA_CACHE_PATH`, which the images keep in the volume of the
models.
"""
NONE = "Nothing has been measured on a card yet."
LOADS = """\
### Memory and streams of speech-to-text

Measured with `baker try stt --streams`. The model has the size of kyutai's with 1B parameters, and zeros for weights:
that takes as much memory and as many steps. A slot is one of `batch_size` in the config. Seconds are from a frame of
sound, which lasts 0.08 s, to its answer.
"""
CLAIMS = """\
## Not measured

What upstream says. Nobody has measured it with an image of baker's.
"""
MATRIX = re.compile(r"(?<=^        capability: )\[.*\]$", re.MULTILINE)
MOVING = re.compile(r"(?<=matrix\.capability == ')[^']*(?=')")


def page(results: Sequence[Measurement]) -> str:
    """Return docs/cards.md with some results of smoke tests."""
    found = table()
    cards = (
        (
            row.capability,
            row.architecture,
            ", ".join(row.names) or "-",
            ", ".join(platform.removeprefix("linux/") for platform in row.platforms),
            row.since + (f" to {row.until}" if row.until else ""),
            "; ".join(_remarks(row)),
        )
        for row in found.rows
    )
    toolkits = (
        (release, each.driver, each.ptx, each.cudarc, ", ".join(map(dotted, found.compiles(release))))
        for release, each in found.toolkits.items()
    )
    drivers = (
        (dotted(number), *(_driver(number, release) for release in found.toolkits))
        for number in found.capabilities
        if not (row := found.row(number)) or not row.refused
    )
    rows = [
        (
            item.card,
            item.card_capability,
            item.driver,
            item.service,
            f"{item.crate}, {item.capability}, CUDA {item.cuda}",
            f"{item.ready.empty:.1f}",
            f"{item.ready.kept:.1f}",
            f"{item.memory}" if item.memory else "-",
            item.day,
        )
        for item in results
    ]
    columns = ("card", "capability", "driver", "service", "image", "s to Ready, first", "s, later", "MiB", "day")
    builds = [release for release in found.toolkits if found.builds(release, found.published_cudarc)]
    claims = ((item.what, item.figure, item.source) for item in found.claims)
    loads = [
        (
            item.card,
            item.cuda,
            f"{item.slots}",
            f"{item.memory}",
            f"{item.streams}",
            f"{item.kept}",
            f"{item.median:.3f}",
            f"{item.late:.3f}",
            item.day,
        )
        for item in found.loads
    ]
    carried = ("card", "CUDA", "slots", "MiB", "streams", "in real time", "s, half of all", "s, slowest", "day")
    parts = [
        HEAD,
        "## Capabilities\n",
        "The least toolkit that compiles for a capability is not the least that runs there: cards run older PTX.\n",
        _table(("capability", "architecture", "cards", "platforms", "CUDA", "notes"), cards),
        "## Toolkits\n",
        f"With its published lock (cudarc {found.published_cudarc}) moshi-server builds with {', '.join(builds)}.",
        f"{OWN}\n",
        _table(("CUDA", "least driver", "PTX", "least cudarc", "compiles for"), toolkits),
        "## Least drivers\n",
        "For PTX of a toolkit on a card of a capability.\n",
        _table(("capability", *(f"CUDA {release}" for release in found.toolkits)), drivers),
        MEASURED,
        _table(columns, rows) if rows else f"{NONE}\n",
        LOADS,
        _table(carried, loads),
        CLAIMS,
        _table(("what", "figure", "source"), claims),
    ]
    return "\n".join(parts)


def workflow(text: str) -> str:
    """Return the text of publish.yml with the capabilities of the table."""
    found = table()
    text = MATRIX.sub(json.dumps([dotted(number) for number in found.published]), text)
    return MOVING.sub(dotted(found.default), text)


def current() -> str:
    """Return docs/cards.md with the results of this release."""
    return page(measured.all_of())


def _remarks(row: Row) -> Iterator[str]:
    if row.refused:
        yield f"not supported: {row.refused}"
    if row.number < table().bf16_from:
        yield "no bf16"
    if row.notes:
        yield row.notes


def _driver(capability: int, release: str) -> str:
    """Return the least driver of a card for a toolkit: none where the toolkit has dropped all that the card runs."""
    found = table()
    runs = any(number <= capability for number in found.compiles(release))
    return found.driver(capability, release) if runs else "-"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
