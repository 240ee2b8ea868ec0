"""`baker models`: what the services' configs need from the Hugging Face hub."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from baker.cli import options
from baker.errors import NetworkError, UsageError

app = typer.Typer(no_args_is_help=True, help="Fetch the models that the services' configs name.")

AllVoices = Annotated[
    bool, typer.Option("--all-voices", help="Every voice that matches, not only those in the default one's folder.")
]
CheckModels = Annotated[
    bool, typer.Option("--check", help="Fetch nothing; say what is missing or damaged, and end with 5.")
]


@app.command("pull")
def models_pull(
    services: options.Names = None,
    project: options.Folder = None,
    cache: Annotated[
        Path | None, typer.Option("--cache", help="The Hugging Face cache; else $HF_HOME or ~/.cache/huggingface.")
    ] = None,
    volume: Annotated[
        str | None, typer.Option("--volume", help="A volume instead, by its own name or by that in a compose file.")
    ] = None,
    all_voices: AllVoices = False,  # noqa: FBT002
    check: CheckModels = False,  # noqa: FBT002
    as_json: options.Json = False,  # noqa: FBT002
) -> None:
    """Fetch the models of services into a Hugging Face cache, and check their size and sha256.

    What was interrupted goes on where it stopped. A token comes from HF_TOKEN or HUGGING_FACE_HUB_TOKEN alone.

    Examples:
        baker models pull stt tts                         into ~/.cache/huggingface

        baker models pull stt tts --volume huggingface    into the volume of docker-compose.yml

        baker models pull tts --check                     is everything there?
    """
    from baker import bar, hub, pull, report, shelf  # noqa: PLC0415

    if cache and volume:
        raise UsageError("--cache and --volume are two places: give one")
    console = options.console(err=True)
    request = options.request(services, project)
    wanted, at = pull.needs(request), hub.connect(os.environ)
    folder = (cache or pull.home(os.environ)).expanduser()
    with pull.open_cache(request, folder, volume, writing=not check) as store, bar.progress(console) as shown:
        if check:
            found = shelf.check(wanted, store, at, shown, console.print, everything=all_voices)
        else:
            found = pull.pull(wanted, store, at, shown, everything=all_voices)
    if as_json:
        typer.echo(json.dumps([asdict(state) for state in found], indent=2))
    else:
        report.models(found, store.where, options.console())
    if any(state.state in shelf.BAD for state in found):
        raise typer.Exit(NetworkError.exit_code)
