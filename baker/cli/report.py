"""What a person reads at the end: the same values that --json prints."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.filesize import decimal
from rich.text import Text

from baker.build.forecast import BUILD, CACHED, FOLLOWS, SETTINGS
from baker.system.units import GIGABYTE, duration, rounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

    from baker.build.estimate import Estimate
    from baker.build.fit import Fit
    from baker.build.receipt import Receipt
    from baker.buildkit.cache_local import Record
    from baker.doctor.finding import Finding
    from baker.inspection.difference import Difference
    from baker.inspection.image import ImageView
    from baker.models.inventory import State
    from baker.publish.intents import Intent
    from baker.publish.workflow import Published
    from baker.smoke.bundle import Bundle
    from baker.speech.wire import Word
    from baker.swarm.deployment import Deployment
    from baker.trial.run import Outcome
    from baker.trial.streams import Load
    from baker.verify.checks import Check

PLANNED = {CACHED: "green", BUILD: "red", FOLLOWS: "yellow", SETTINGS: "yellow"}
CHECKED = {"ok": "green", "failed": "red", "skipped": "yellow"}
SHOWN_FILES, SHOWN_LETTERS, SHOWN_IMAGES = 40, 100, 3
STATES = {"ok": "green", "note": "yellow", "missing": "red"}


def rows(found: Iterable[Sequence[str | Text]], console: Console) -> None:
    """Print rows with their columns below each other; nothing is cut or wrapped, however wide a terminal is."""
    lines = [[cell if isinstance(cell, Text) else Text(cell) for cell in row] for row in found]
    widths = [max((cell.cell_len for cell in column), default=0) for column in zip_longest(*lines, fillvalue=Text())]
    for line in lines:
        text = Text(" ")
        for cell, width in zip(line, widths, strict=False):
            text.append_text(cell).append(" " * (width - cell.cell_len + 2))
        text.rstrip()
        console.print(text, highlight=False)


def coloured(word: str, colours: Mapping[str, str]) -> Text:
    """Return a word in the colour of a table."""
    return Text(word, style=colours[word])


def receipts(found: Sequence[Receipt], console: Console) -> None:
    """Print a line for each image that was built."""
    for receipt in found:
        size = f"{receipt.size / GIGABYTE:.2f} GB"
        console.print(f"[green]tagged[/] {receipt.image}  {size}  {receipt.digest[:19]}", highlight=False)


def intents(found: Sequence[Intent], console: Console) -> None:
    """Print what publishing would do with each tag."""
    for intent in found:
        console.print(f"{intent.repository}: push by digest, sign, check, then tag", highlight=False)
        for tag, before in intent.tags.items():
            console.print(f"  {tag}  {f'moves from {before}' if before else 'new'}", highlight=False)


def published(found: Sequence[Published], console: Console) -> None:
    """Print where each image is now."""
    for item in found:
        bytes_sent = f"{decimal(item.sent)} of {decimal(item.size)} sent"
        console.print(f"[green]published[/] {item.reference}  {', '.join(item.tags)}  {bytes_sent}", highlight=False)


def deployment(found: Deployment, where: str, console: Console) -> None:
    """Print what a stack file runs, what to know of it, and what to do with it."""
    for service, image in found.images.items():
        console.print(f"{service}  {image}", highlight=False)
    for note in found.notes:
        console.print(f"[yellow]note[/] {note}", highlight=False)
    console.print(f"wrote {where}; deploy it, on a manager, with\n  {found.command}", highlight=False)


def plan(found: Estimate, lines: Iterable[str], console: Console) -> None:
    """Print what will become of each stage, what that takes, and lines about the whole."""
    table = []
    for item in found.outlooks:
        amounts = (rounded(item.seconds) if item.shipped else duration(item.seconds)) if item.seconds else ""
        download = f"{decimal(item.download)} to download" if item.download else ""
        # A first build has one reason for everything, and the line below says it.
        why = "" if found.first else "; ".join(item.why)
        table.append((coloured(item.state, PLANNED), item.stage, amounts, download, why))
    rows(table, console)
    if not any(item.work or item.likely for item in found.outlooks):
        console.print("every stage that makes a layer is cached", highlight=False)
    for line in lines:
        console.print(line, highlight=False, markup=False)


def records(found: Sequence[Record], console: Console) -> None:
    """Print records of the builder's cache, and their sum."""
    rows(
        ((item.kind, item.name, decimal(item.size), "shared" if item.shared else "", item.id) for item in found),
        console,
    )
    console.print(f"{len(found)} records, {decimal(sum(item.size for item in found))}", highlight=False)


def checks(found: Mapping[str, Sequence[Check]], console: Console) -> None:
    """Print a table of checks for each image."""
    for reference, items in found.items():
        console.print(Text(reference, style="italic"))
        words = ["skipped" if item.skipped else "ok" if item.passed else "failed" for item in items]
        rows(
            ((coloured(word, CHECKED), item.name, item.detail) for word, item in zip(words, items, strict=True)),
            console,
        )


def findings(found: Sequence[Finding], console: Console) -> None:
    """Print what the doctor found."""
    rows(((coloured(item.state, STATES), item.name, item.detail) for item in found), console)


def fit(found: Fit, console: Console) -> None:
    """Print what some cards run."""
    lines: list[tuple[str | Text, str]] = [("card", card) for card in found.cards]
    lines.append(("runs", ", ".join(f"CUDA {release}" for release in found.toolkits) or "no toolkit"))
    for verdict in found.images:
        word = Text("runs", style="green") if verdict.runs else Text("no", style="red")
        lines.append((word, f"{verdict.reference}: {verdict.why}"))
    if found.images:
        lines.append(("take", found.take or "none of them runs"))
    lines.append(("build", f"baker build {found.build}" if found.build else "nothing that runs there"))
    lines += [(Text("note", style="yellow"), note) for note in found.notes]
    rows(lines, console)


def bundle(made: Bundle, console: Console) -> None:
    """Print what a smoke test was packed into, and how it is run."""
    console.print(f"[green]packed[/] {made.archive}  {decimal(made.size)}  PTX {made.ptx}", highlight=False)
    needs, option = ", ".join(made.cuda_libraries), "--cuda-libraries"
    if made.torch:
        needs, option = f"torch {made.torch} for Python {made.python}", "--torch"
    console.print(f"on a machine with a card, {needs} and Python 3.8 or newer:", highlight=False)
    console.print(f"  tar --zstd -xf {made.archive} && python3 smoke/run.py {option} PATH", highlight=False)


def models(found: Sequence[State], where: str, console: Console) -> None:
    """Print what was fetched, or is missing or damaged, and a line for all."""
    for state in found:
        if state.state != "present":
            size = f"  {decimal(state.size)}" if state.size else ""
            console.print(f"{state.state} {state.file}{size}", highlight=False, markup=False)
    bad = [state for state in found if state.state in ("missing", "damaged")]
    whole = f"{len(found)} files, {decimal(sum(state.size for state in found))}, are whole in {where}"
    word = f"{len(bad)} of {len(found)} files are missing or damaged in {where}" if bad else whole
    console.print(word if found else "no config names a model", highlight=False, markup=False)


def word(found: Word, console: Console) -> None:
    """Print a word and its times."""
    stop = "" if found.stop is None else f"{found.stop:.2f}"
    console.print(f"{found.start:7.2f} {stop:>7}  {found.text}", highlight=False, markup=False)


def outcome(found: Outcome, console: Console) -> None:
    """Print what a try took; its words were printed as they came."""
    if found.ready is not None:
        console.print(f"ready {found.ready:.2f} s after its start: {found.server}", highlight=False)
    else:
        console.print(f"ready {found.connected:.2f} s after the connection: {found.server}", highlight=False)
    if found.first_sound is not None:
        console.print(f"first sound {found.first_sound:.2f} s after the text", highlight=False)
    speed = "" if found.factor is None else f", real-time factor {found.factor:.2f}"
    console.print(f"{found.audio:.2f} s of sound in {found.worked:.2f} s{speed}", highlight=False)


def load(found: Load, console: Console) -> None:
    """Print what a server did with many streams at once."""
    kept = f"{found.kept} of {found.streams} streams kept real time"
    refused = found.streams - found.served
    console.print(kept + (f", {refused} got no slot" if refused else ""), highlight=False)
    times = f"median {found.median * 1000:.0f} ms, 95th percentile {found.high * 1000:.0f} ms"
    console.print(f"{found.measured}: {times}; the latest was {found.late * 1000:.0f} ms late", highlight=False)


def image(found: ImageView, console: Console) -> None:
    """Print what an image is."""
    console.print(Text(found.name, style="bold"))
    facts = {
        **found.facts,
        "size": decimal(found.size),
        "cards": found.cards,
        "driver": f"{found.driver} or newer" if found.driver else "",
        "mounts": ", ".join(found.mounts),
        "ports": ", ".join(found.ports),
        "user": found.user,
        "id": found.id,
    }
    rows([(name, value) for name, value in facts.items() if value], console)
    console.print(f"\nrun it:\n  {found.run}", highlight=False, markup=False)
    if found.run_on_cpu:
        console.print(f"without a card:\n  {found.run_on_cpu}", highlight=False, markup=False)
    console.print()
    lines: list[tuple[str, ...]] = [("layer", "changed", "made by", "also in")]
    for layer in found.layers:
        changed = {None: "", True: "yes", False: "no"}[layer.changed]
        made_by = layer.made_by or "unknown: imported, or squashed"
        cut = made_by if len(made_by) <= SHOWN_LETTERS else made_by[: SHOWN_LETTERS - 1] + "…"
        more = len(layer.shared) - SHOWN_IMAGES
        others = ", ".join(layer.shared[:SHOWN_IMAGES]) + (f" and {more} more" if more > 0 else "")
        lines.append((f"{decimal(layer.size):>8}", changed, cut, others))
    rows(lines, console)


def difference(found: Difference, console: Console) -> None:
    """Print what differs between two images."""
    first, second = found.sizes
    sign = "+" if second >= first else "-"
    console.print(f"{found.names[0]}  {decimal(first)}", highlight=False, markup=False)
    change = f"{sign}{decimal(abs(second - first))}; {decimal(found.shared)} in layers of both"
    console.print(f"{found.names[1]}  {decimal(second)}, {change}", highlight=False, markup=False)
    for package in found.packages or ():
        versions = f"{package.before or 'none'} → {package.after or 'none'}"
        console.print(f"{package.kind}  {package.name}  {versions}", highlight=False, markup=False)
    if found.packages is not None:
        console.print(f"{len(found.packages)} packages differ", highlight=False)
    for file in found.files[:SHOWN_FILES]:
        sizes = f"{decimal(file.before)} → {decimal(file.after)}"
        size = sizes if file.state == "changed" else decimal(max(file.before, file.after))
        console.print(f"{file.state:>7}  {size}  {file.path}", highlight=False, markup=False)
    rest = found.files[SHOWN_FILES:]
    more = f"; {len(rest)} smaller ones are not shown, --json has them" if rest else ""
    console.print(f"{len(found.files)} files differ{more}", highlight=False)
