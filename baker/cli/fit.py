"""`baker fit`: what the cards of a machine run."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from baker.cli import context, options
from baker.errors import CommandError, UsageError, VerifyError

app = typer.Typer()
Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="SERVICE|IMAGE", help="Published images by service, by tag or by digest."),
]
CardName = Annotated[
    str | None,
    typer.Option(
        "--card", metavar="NAME", help="A card that is elsewhere, by its name or its compute capability: RTX 3090, 8.6."
    ),
]
Driver = Annotated[
    str, typer.Option("--driver", metavar="VERSION", help="The driver that goes with --card, such as 570.86.15.")
]


@app.command()
def fit(
    names: Names = None,
    card: CardName = None,
    driver: Driver = "",
    registry: options.Registry = None,
    project: options.Folder = None,
    as_json: options.Json = False,
) -> None:
    """Say what the cards and the driver of this machine run: which published image, and what to build with.

    Images are judged by their labels in the registry; nothing is pulled. A service stands for all tags of its
    repository. With names, the exit code is 7 if none of them runs.

    Examples:
      baker fit
      baker fit stt tts --registry ghcr.io/team
      baker fit ghcr.io/team/stt:latest --card "RTX 3090" --driver 560.35
    """
    from baker.build import fit as fits
    from baker.build import hostcards
    from baker.cli import report
    from baker.publish import intents
    from baker.registry.client import Registries

    if driver and not card:
        raise UsageError("--driver goes with --card: without a card, nvidia-smi says which driver is here")
    found = context.project(project)
    try:
        cards = (hostcards.named(card, driver),) if card else hostcards.here(context.environment())
    except CommandError as error:
        raise UsageError(
            "no NVIDIA driver answers here: name a card, as in --card 'RTX 3090'. Without a card images run with --cpu"
        ) from error
    if not cards:
        raise UsageError("nvidia-smi lists no card here: name one, as in --card 'RTX 3090'")
    services, images = found.sort(names or (), lambda _: False)
    place = intents.destination(registry, found.read_settings()) if services else ""
    registries = Registries.of(context.environment(), context.notes().print)
    wanted = found.read_services(services) if services else ()
    verdicts = [
        *(one for item in wanted for one in fits.published(cards, f"{place}/{item.name}", registries)),
        *(fits.image(cards, name, registries) for name in images),
    ]
    result = fits.fit(cards, verdicts, found.read_pins())
    if as_json:
        typer.echo(json.dumps(asdict(result), indent=2))
    else:
        report.fit(result, context.console())
    if names and not result.take:
        raise typer.Exit(VerifyError.exit_code)
