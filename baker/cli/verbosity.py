"""-v and -q: how much a command says. Every command has both, and so has `baker` itself."""

from __future__ import annotations

import inspect
import logging
import sys
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from baker.cli import context
from baker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="Print every program that is started, and the whole log of a build."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only results and errors.")]
OPTIONS = {"verbose": Verbose, "quiet": Quiet}


def choose(*, verbose: bool, quiet: bool) -> None:
    """Let the session say more or less; without both, it stays as it is.

    Raises:
        UsageError: both are asked for.
    """
    said = context.SESSION.get()
    more, less = verbose or said.verbose, quiet or said.quiet
    if more and less:
        raise UsageError("pass either -v or -q")
    context.SESSION.set(
        context.Session(docker_context=said.docker_context, closing=said.closing, verbose=more, quiet=less)
    )
    if more:
        _log_to_stderr()


def _log_to_stderr() -> None:
    log = logging.getLogger("baker")
    if log.handlers:
        return
    # The boundary keeps all libraries silent; only this one's messages are for people.
    logging.disable(logging.NOTSET)
    logging.getLogger().addHandler(logging.NullHandler())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)


def with_verbosity(command: Callable[..., None]) -> Callable[..., None]:
    """Add -v and -q to a command."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())

    @wraps(command)
    def run(*, verbose: bool, quiet: bool, **arguments: Any) -> None:  # noqa: ANN401 - Typer gives them
        choose(verbose=verbose, quiet=quiet)
        command(**arguments)

    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=False)
        for name, kind in OPTIONS.items()
    ]
    parameters = [*(item.replace(kind=inspect.Parameter.KEYWORD_ONLY) for item in own), *added]
    # Typer reads the signature, and the annotations by themselves.
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {item.name: item.annotation for item in parameters}
    del run.__wrapped__
    return run
