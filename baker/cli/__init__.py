"""The command line. Each command parses, makes one call and prints; errors are caught in one place."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Annotated

import typer

from baker import __version__
from baker.cli import (
    bench,
    build,
    build_report,
    cache,
    deploy,
    doctor,
    fit,
    init,
    inspect_image,
    lock,
    models,
    plan,
    promote,
    publish,
    render,
    sbom,
    smoke,
    trial,
    verbosity,
    verify,
)
from baker.cli.boundary import failures_told, hush_libraries
from baker.cli.context import SESSION, Session
from baker.cli.help import MARKUP, Command, Group, as_written
from baker.errors import InterruptedBuildError

if TYPE_CHECKING:
    from collections.abc import Callable

HELP = """\
Bake moshi-server into container images: compiled, locked, ready to start.

Examples:
  baker build stt tts   # build the images
  docker compose up     # run them
  baker COMMAND --help  # every command has examples
"""

app = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    # share/ has completions that start no Python; docs/install.md says how shells find them.
    add_completion=False,
    rich_markup_mode=MARKUP,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 success, 2 wrong usage or configuration, 3 lock, 4 engine, disk or missing program, "
    "5 network, 6 build, 7 verification, 70 a bug of baker, 130 Ctrl-C.",
)
COMMANDS = (
    build,
    plan,
    build_report,
    verify,
    render,
    init,
    lock,
    publish,
    promote,
    sbom,
    inspect_image,
    deploy,
    doctor,
    fit,
    smoke,
    bench,
)
for command in COMMANDS:
    app.add_typer(command.app)
app.add_typer(models.app, name="models")
app.add_typer(cache.app, name="cache")
app.add_typer(trial.app, name="try")


def interruptible(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that ends with baker's exit code for Ctrl-C; Typer's own is 1."""

    @wraps(command)
    def run(*arguments: object, **named: object) -> None:
        try:
            command(*arguments, **named)
        except KeyboardInterrupt as stop:
            raise InterruptedBuildError("interrupted") from stop

    return run


def _finish(typer_app: typer.Typer) -> None:
    """Give each command of an app its help, -v and -q, and its exit code for Ctrl-C."""
    typer_app.rich_markup_mode = MARKUP
    typer_app.info.cls = Group
    if isinstance(typer_app.info.help, str):
        typer_app.info.help = as_written(typer_app.info.help)
    for registered in typer_app.registered_commands:
        if registered.callback is not None:
            registered.help = as_written(inspect.getdoc(registered.callback) or "")
            registered.callback = verbosity.with_verbosity(interruptible(registered.callback))
            registered.cls = Command
    for group in typer_app.registered_groups:
        if group.typer_instance is not None:
            _finish(group.typer_instance)


@app.callback(invoke_without_command=True)
def top(
    call: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
    context: Annotated[
        str,
        typer.Option(
            "--context", metavar="NAME", help="docker context of the engine to use (default: the current one)."
        ),
    ] = "",
    verbose: verbosity.Verbose = False,
    quiet: verbosity.Quiet = False,
) -> None:
    """Keep what holds for every command, and print the version."""
    session = Session(docker_context=context)
    SESSION.set(session)
    call.call_on_close(session.closing.close)
    verbosity.choose(verbose=verbose, quiet=quiet)
    if version:
        typer.echo(f"baker {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; the exit code is the error's."""
    hush_libraries()
    with failures_told():
        app(standalone_mode=True)


_finish(app)
