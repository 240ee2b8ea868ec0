"""The one place that starts processes: argument lists, never a shell."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import signal
import subprocess
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeAlias

from baker.errors import NOT_STARTED, CommandError, EngineError, MissingProgramError

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import IO

_log = logging.getLogger(__name__)
Process: TypeAlias = "subprocess.Popen[str]"
TAIL_LINES = 15
# The file descriptor.
STDERR = 2


def find(program: str, hint: str, *, env: Mapping[str, str] | None = None) -> str:
    """Return the path of a program, or raise EngineError with the hint of how to get it."""
    path = shutil.which(program, path=env.get("PATH") if env is not None else None)
    if path is None:
        raise EngineError(f"{program} is not installed: {hint}")
    return path


def _told(argv: Sequence[str]) -> None:
    """Let `baker -v` show what is started. Secrets go by file or environment, never by an argument."""
    _log.debug("+ %s", shlex.join(argv))


def _not_started(argv: Sequence[str], error: OSError) -> CommandError:
    """Return the error for a program that could not be started; the folder that it works in may be what is missing."""
    if isinstance(error, FileNotFoundError) and error.filename == argv[0]:
        return MissingProgramError(tuple(argv))
    return CommandError(tuple(argv), NOT_STARTED, str(error))


def capture(
    argv: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None, given: str | None = None
) -> str:
    """Run a program to its end and return what it wrote to stdout.

    Args:
        argv: the program and its arguments.
        cwd: the folder that it works in; else this process's.
        env: its whole environment; else this process's.
        given: what it reads from stdin; else this process's.

    Raises:
        CommandError: it could not be started or failed; the last lines of its stderr stay with the error.
    """
    _told(argv)
    try:
        done = subprocess.run(  # noqa: S603 - an argument list
            list(argv),
            cwd=cwd,
            env=env,
            input=given,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise _not_started(argv, error) from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise CommandError(tuple(argv), done.returncode, "\n".join(lines[-TAIL_LINES:]))
    return done.stdout


def run(argv: Sequence[str], *, env: Mapping[str, str]) -> None:
    """Run a program to its end on this process's terminal, so that a person sees it and can answer.

    All that it prints goes to stderr: stdout is for the result of the command that runs it.

    Raises:
        CommandError: it could not be started or failed.
    """
    _told(argv)
    try:
        done = subprocess.run(list(argv), env=env, stdout=STDERR, check=False)  # noqa: S603 - an argument list
    except OSError as error:
        raise _not_started(argv, error) from error
    if done.returncode:
        raise CommandError(tuple(argv), done.returncode, "")


@contextmanager
def stream(argv: Sequence[str], *, cwd: Path | None, env: Mapping[str, str]) -> Iterator[Process]:
    """Run a program in a process group of its own and yield it; stdout and stderr arrive as one text stream.

    `env` is its whole environment.

    Leaving the block early, by Ctrl-C or an error, interrupts the whole group and waits for its end.
    """
    _told(argv)
    try:
        process = subprocess.Popen(  # noqa: S603 - an argument list
            list(argv),
            cwd=cwd,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise _not_started(argv, error) from error
    try:
        yield process
    finally:
        end(process)
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def feed(argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> Iterator[IO[bytes]]:
    """Run a program and yield its stdin; leaving the block closes that and waits for the program's end.

    Raises:
        CommandError: it could not be started or failed; what it wrote to stderr stays with the error.
    """
    _told(argv)
    try:
        # stderr is read at the end: for programs that say little, as those of coreutils.
        process = subprocess.Popen(  # noqa: S603 - an argument list
            list(argv), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env
        )
    except OSError as error:
        raise _not_started(argv, error) from error
    with process:
        assert process.stdin  # noqa: S101 - for mypy: it is a pipe
        assert process.stderr  # noqa: S101
        broken = False
        try:
            yield process.stdin
        except BrokenPipeError:
            broken = True
        finally:
            with suppress(BrokenPipeError):
                process.stdin.close()
        tail = process.stderr.read().decode(errors="replace").strip()
        if process.wait() or broken:
            raise CommandError(tuple(argv), process.returncode, tail)


def attach(argv: Sequence[str], connection: socket.socket, env: Mapping[str, str]) -> Process:
    """Start a program in a process group of its own whose stdin and stdout are a connection; end() ends it."""
    _told(argv)
    return subprocess.Popen(  # noqa: S603 - an argument list
        list(argv),
        stdin=connection.fileno(),
        stdout=connection.fileno(),
        stderr=subprocess.DEVNULL,
        env=env,
        start_new_session=True,
        text=True,
    )


def end(process: Process) -> None:
    """Interrupt a process group that stream() started, and wait for its end; what does not heed that is killed."""
    for sent, seconds in ((signal.SIGINT, 10), (signal.SIGTERM, 5), (signal.SIGKILL, None)):
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sent)
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            continue
