"""The command line. Each command parses, makes one call and prints; errors are caught in one place."""

from __future__ import annotations

import errno
import os
import signal
import sys
from typing import Annotated

import typer

from baker import __version__
from baker.cli import bench, build, cache, deploy, models, project, publish
from baker.errors import BakerError, EngineError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for commands in (build, publish, deploy, project, bench):
    app.add_typer(commands.app)
app.add_typer(models.app, name="models")
app.add_typer(cache.app, name="cache")


def main() -> None:
    """Run the command line; the exit code is the error's.

    SIGTERM, which ends a job of CI, and SIGHUP, a closed terminal, count as Ctrl-C: what was begun is ended and tidied.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        # nohup has it ignored
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    try:
        app(standalone_mode=True)
    except BakerError as error:
        typer.secho("error: ", fg="red", bold=True, nl=False, err=True)
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        where = error.filename or "the disk"
        typer.echo(
            f"error: no space left on {where}: `docker system df` and `docker buildx du` show what takes it", err=True
        )
        sys.exit(EngineError.exit_code)


@app.callback(invoke_without_command=True)
def top(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,  # noqa: FBT002 - Typer's way
    context: Annotated[
        str, typer.Option("--context", help="The docker context, for an engine elsewhere; else the current one.")
    ] = "",
) -> None:
    """Bake moshi-server into container images: compiled, locked, ready to start.

    `baker build stt tts` makes the images, `docker compose up` runs them.
    """
    if context:
        # As `docker --context` does it, for every docker that is started, and the SDK.
        os.environ["DOCKER_CONTEXT"] = context
        os.environ.pop("DOCKER_HOST", None)
    if version:
        typer.echo(f"baker {__version__}")
        raise typer.Exit
