"""`baker try`: speech in and speech out, on a running service or one of a moment."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from baker.cli import context, options
from baker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from baker.speech.wire import Word
    from baker.trial.run import Outcome
    from baker.trial.server import Wish
    from baker.trial.streams import Load

HELP = """\
Try a service: have a file transcribed, or a text spoken.

Examples:
  baker try stt speech.wav
  baker try tts "Good morning!" --output morning.wav
"""
app = typer.Typer(no_args_is_help=True, help=HELP)

TEXT = "Hello! This is a try of text to speech, and it should sound like somebody who reads a sentence."

HOLD_SECONDS, WAIT_SECONDS = 30.0, 600.0
# The parameter of each field of TrialOptions, as Typer takes it.
PARAMETERS: dict[str, tuple[Any, Any]] = {
    "streams": (
        Annotated[
            int | None, typer.Option("--streams", min=1, help="Hold this many streams at once, and measure latencies.")
        ],
        None,
    ),
    "seconds": (
        Annotated[
            float | None,
            typer.Option(
                "--seconds",
                metavar="SECONDS",
                min=1,
                help="How long to hold the streams, or to listen to the microphone.",
            ),
        ],
        None,
    ),
    "at": (
        Annotated[
            str | None,
            typer.Option(
                "--at",
                metavar="HOST:PORT|CONTAINER",
                help="Where the service runs (default: look for a container of its image).",
            ),
        ],
        None,
    ),
    "key": (
        Annotated[str | None, typer.Option("--key", metavar="KEY", help="Key of a client (default: public_token).")],
        None,
    ),
    "image": (
        Annotated[
            str | None,
            typer.Option(
                "--image", metavar="IMAGE", help="Image to start (default: that of the service in this project)."
            ),
        ],
        None,
    ),
    "cpu": (
        Annotated[bool, typer.Option("--cpu", help="Start the service on the CPU, even if there is a card.")],
        False,
    ),
    "models": (
        Annotated[
            str | None,
            typer.Option(
                "--models",
                metavar="VOLUME|FOLDER",
                help="Models for a service that is started (default: the volume of compose, or else your Hugging Face "
                "cache).",
            ),
        ],
        None,
    ),
    "synthetic": (
        Annotated[
            bool,
            typer.Option(
                "--synthetic", help="Start the service with a tiny model that needs no download and knows few words."
            ),
        ],
        False,
    ),
    "wait": (
        Annotated[
            float, typer.Option("--wait", metavar="SECONDS", min=1, help="Seconds that a service may take to start.")
        ],
        WAIT_SECONDS,
    ),
    "project": (options.Folder, None),
    "as_json": (options.Json, False),
}


@dataclass(frozen=True, kw_only=True)
class TrialOptions:
    """Which service is tried, and how, for both directions."""

    streams: int | None = None
    seconds: float | None = None
    at: str = ""
    key: str = ""
    image: str = ""
    cpu: bool = False
    models: str = ""
    synthetic: bool = False
    wait: float = WAIT_SECONDS
    project: Path | None = None
    as_json: bool = False

    def wish(self, service: str, path: str, query: str, kind: str) -> Wish:
        """Return what is wished of a service: its websocket's path and query, and the kind of its module."""
        from baker.dockerfile import bakefile
        from baker.speech.wire import KEY
        from baker.trial.server import Wish

        settings = context.project(self.project).read_settings()
        return Wish(
            service=service,
            image=self.image or f"{bakefile.image_name(settings, service)}:{settings.tag}",
            path=path,
            query=query,
            kind=kind,
            key=self.key or KEY,
            at=self.at,
            cpu=self.cpu,
            models=self.models,
            synthetic=self.synthetic,
            own=bool(self.image),
            seconds=self.wait,
        )

    def hold(self) -> float:
        """Return for how many seconds streams are held."""
        return self.seconds or HOLD_SECONDS


trial_options = options.grouped(TrialOptions, PARAMETERS, last=True)


@app.command("stt")
@trial_options
def try_stt(
    asked: TrialOptions,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="WAV, FLAC, MP3 or Ogg Vorbis file.")] = None,
    mic: Annotated[bool, typer.Option("--mic", help="Listen to the microphone until Ctrl-C.")] = False,
) -> None:
    """Have a sound file or the microphone transcribed, and print the words with their times.

    The service is a running container of the image, or one that is started and removed afterwards.

    Examples:
      baker try stt speech.wav
      baker try stt --mic
      baker try stt speech.wav --synthetic      # needs no models and no card
      baker try stt --streams 32 --seconds 60   # what does the card carry?
    """
    from baker.speech.transcription import PATH
    from baker.trial import audio, run, server
    from baker.trial import streams as load

    if (mic and (file or asked.streams)) or not (mic or file or asked.streams):
        raise UsageError("pass a FILE, or --mic for the microphone, or --streams for many at once")
    samples = audio.read(file) if file else audio.hum()
    wish = asked.wish("stt", PATH, "", "BatchedAsr")
    with server.opened(context.engine(), wish, _note) as trial:
        if asked.streams:
            _print(load.hold(load.listening(trial.server, samples, asked.streams, asked.hold())), as_json=asked.as_json)
        elif mic:
            _print(run.hear_microphone(trial, asked.seconds, _telling(as_json=asked.as_json)), as_json=asked.as_json)
        else:
            _print(run.hear(trial, samples, _telling(as_json=asked.as_json)), as_json=asked.as_json)


@app.command("tts")
@trial_options
def try_tts(
    asked: TrialOptions,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to say.")] = TEXT,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="WAV file to write.")] = None,
    voice: Annotated[
        str, typer.Option("--voice", metavar="NAME", help="Name of a voice (default: the server's).")
    ] = "",
) -> None:
    """Have a text spoken, write it to a WAV file, and print the words with their times.

    The service is a running container of the image, or one that is started and removed afterwards.

    Examples:
      baker try tts "Good morning!" --output morning.wav
      baker try tts "Good morning!" --voice unmute-prod-website/p329_022.wav
      baker try tts "hello world," --synthetic   # needs no models and no card
      baker try tts --streams 16 --seconds 60    # what does the card carry?
    """
    from baker.speech.synthesis import PATH, QUERY
    from baker.trial import audio, run, server
    from baker.trial import streams as load

    wish = asked.wish("tts", PATH, QUERY, "Py")
    with server.opened(context.engine(), wish, _note) as trial:
        if asked.streams:
            _print(
                load.hold(load.speaking(trial.server, text, voice, asked.streams, asked.hold())), as_json=asked.as_json
            )
            return
        outcome, spoken = run.say(trial, text, voice, _telling(as_json=asked.as_json))
    _print(outcome, as_json=asked.as_json)
    if output:
        audio.write(output, spoken.frames)
        _note(f"wrote {output}")


def _note(text: str) -> None:
    context.notes().print(text, highlight=False)


def _telling(*, as_json: bool) -> Callable[[Word], None]:
    """Return what prints each word as soon as it is known."""
    from baker.cli import report

    console = context.console()
    return (lambda _: None) if as_json else (lambda word: report.word(word, console))


def _print(found: Outcome | Load, *, as_json: bool) -> None:
    from baker.cli import report
    from baker.trial.streams import Load

    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2))
    elif isinstance(found, Load):
        report.load(found, context.console())
    else:
        report.outcome(found, context.console())
