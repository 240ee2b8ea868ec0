"""`baker models`: fetch the models that the services' configs name."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from baker.cli import context, options
from baker.errors import InterruptedPullError, NetworkError, UsageError

HELP = """\
Download the models that the configs of services name.

Examples:
  baker models pull stt tts
"""
app = typer.Typer(no_args_is_help=True, help=HELP)

AllVoices = Annotated[
    bool, typer.Option("--all-voices", help="Fetch all voices that match, not only those beside the default voice.")
]
CheckModels = Annotated[
    bool,
    typer.Option("--check", help="Fetch nothing; list missing or damaged files, and exit with 5 if there are any."),
]


@app.command("pull")
def models_pull(
    services: options.Names = None,
    project: options.Folder = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            "--cache",
            metavar="FOLDER",
            help="Hugging Face cache to fill (default: $HF_HUB_CACHE, $HF_HOME or the one in ~).",
        ),
    ] = None,
    volume: Annotated[
        str | None,
        typer.Option(
            "--volume", metavar="NAME", help="Docker volume to fill, by its name or by its name in the compose file."
        ),
    ] = None,
    all_voices: AllVoices = False,
    check: CheckModels = False,
    as_json: options.Json = False,
) -> None:
    """Download the models of services into a Hugging Face cache, and check size and sha256 of each file.

    An interrupted download continues where it stopped. The token is read from HF_TOKEN or HUGGING_FACE_HUB_TOKEN.

    Examples:
      baker models pull stt tts                        # ~/.cache/huggingface
      baker models pull stt tts --volume huggingface   # a volume of compose
      baker models pull tts --check                    # is everything there?
    """
    from baker.cli import report
    from baker.models import environment

    if cache and volume:
        raise UsageError("pass either --cache or --volume, not both")
    variables, console, found = context.environment(), context.notes(), context.project(project)
    # Before the next import: huggingface_hub reads the environment there, and fails on some addresses.
    access = environment.access(variables)
    from baker.models import hub, inventory, pull
    from baker.system import progressbar

    chosen, settings = found.read_services(tuple(services or ())), found.read_settings()
    wanted = pull.needed(chosen)
    for note in access.notes:
        console.print(note, highlight=False)
    asked = hub.connect(access, console.print)
    place = environment.home(environment.expanded(str(cache), variables)) if cache else environment.place(variables)
    opened = pull.open_cache(settings, chosen, place, name=volume, engine=context.engine(), writing=not check)
    try:
        with opened as store, progressbar.progress(console) as shown:
            if check:
                states = inventory.check(wanted, store, asked, shown, console.print, everything=all_voices)
            else:
                states = pull.pull(wanted, store, asked, shown, everything=all_voices)
    except KeyboardInterrupt as stop:
        raise InterruptedPullError("interrupted: what was fetched is kept, run it again to go on") from stop
    if as_json:
        typer.echo(json.dumps([asdict(state) for state in states], indent=2))
    else:
        report.models(states, store.where, context.console())
    if any(state.state in inventory.BAD for state in states):
        raise typer.Exit(NetworkError.exit_code)
