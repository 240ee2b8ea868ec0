"""The one tree of errors; each class has the exit code that the command line ends with."""

from __future__ import annotations

from typing import ClassVar

# The exit code of what could not be started, as shells have it.
NOT_STARTED = 127


class BakerError(Exception):
    """Something the user can act on. The message says what failed, where, and what to do next."""

    exit_code: ClassVar[int] = 1


class UsageError(BakerError):
    """The command line, baker.toml or a service.toml asks for something that cannot be."""

    exit_code = 2


class LockError(BakerError):
    """A pin is missing, or a lock does not fit what it locks."""

    exit_code = 3


class EngineError(BakerError):
    """Docker, buildx or another program that baker needs is missing or does not answer."""

    exit_code = 4


class NetworkError(BakerError):
    """A registry, an index or an archive could not be reached."""

    exit_code = 5


class BuildError(BakerError):
    """The build ran and failed; nothing was tagged."""

    exit_code = 6


class VerifyError(BakerError):
    """An image was built and is not what it should be."""

    exit_code = 7


class InterruptedBuildError(BakerError):
    """Ctrl-C: the build was ended, and the tags are as they were."""

    exit_code = 130


class InterruptedPullError(BakerError):
    """Ctrl-C while models are fetched or checked; what was fetched is kept."""

    exit_code = 130


class CommandError(BakerError):
    """A program that baker started failed.

    Args:
        argv: what was started.
        returncode: its exit code; negative for a signal.
        tail: the last lines it printed.
    """

    exit_code = 4

    def __init__(self, argv: tuple[str, ...], returncode: int, tail: str) -> None:
        self.argv, self.returncode, self.tail = argv, returncode, tail
        how = f"was ended by signal {-returncode}" if returncode < 0 else f"failed with exit code {returncode}"
        super().__init__(f"{argv[0]} {how}: {' '.join(argv)}" + (f"\n{tail}" if tail else ""))


class MissingProgramError(CommandError):
    """A program that baker wanted to start is not there; `tail` is the message."""

    def __init__(self, argv: tuple[str, ...]) -> None:
        message = f"{argv[0]} is not installed, or not on PATH"
        super().__init__(argv, NOT_STARTED, message)
        self.args = (message,)
