"""The one place that ends a failed command: one line that says what to do, and an exit code by the kind of failure."""

from __future__ import annotations

import errno
import logging
import signal
import sys
import tempfile
import traceback
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from baker.errors import BakerError, EngineError, InterruptedBuildError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

# As sysexits.h has it: an internal software error.
BUG = 70
# What a path on the command line or in a setting can cause.
PATHS = {
    errno.EACCES: "this user may not use it",
    errno.EEXIST: "something else is there already",
    errno.EISDIR: "it is a folder, where a file belongs",
    errno.ELOOP: "its symbolic links go round in a circle",
    errno.ENAMETOOLONG: "its name is too long",
    errno.ENOENT: "there is no such file or folder",
    errno.ENOTDIR: "a part of the path is no folder",
    errno.EPERM: "this user may not change it",
    errno.EROFS: "it lies on a read-only file system",
}
FULL = "no space left on {}: `docker system df` and `docker buildx du` show what takes the room"


@contextmanager
def failures_told() -> Iterator[None]:
    """Turn every failure of a block into one line on stderr, and end the process with its exit code.

    SIGTERM, which ends a job of CI, and SIGHUP, a closed terminal, count as Ctrl-C: what was begun is ended and tidied.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        # nohup has it ignored
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    except BakerError as error:
        _end(str(error), error.exit_code)
    except KeyboardInterrupt:
        _end("interrupted", InterruptedBuildError.exit_code)
    except BrokenPipeError:
        # Whoever read the output has seen enough, as `head` has.
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        _end(*_system(error))
    except Exception as error:  # noqa: BLE001 - the boundary: what is left is a bug, and is told as one
        _end(*_bug(error))


def hush_libraries() -> None:
    """Keep what libraries warn of and log to themselves: a user can do nothing about it.

    `python -W` and PYTHONWARNINGS bring the warnings back, for tests that want them as errors.
    """
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    # Some libraries bring a handler of their own, and without any Python prints what is logged.
    logging.disable(logging.CRITICAL)


def _end(message: str, code: int) -> None:
    from rich.console import Console
    from rich.text import Text

    Console(stderr=True, soft_wrap=True).print(Text("error:", style="bold red"), Text(message))
    sys.exit(code)


def _system(error: OSError) -> tuple[str, int]:
    """Return what to say of an error of the operating system, and the exit code."""
    if error.errno == errno.ENOSPC:
        return FULL.format(error.filename or "the disk"), EngineError.exit_code
    if error.filename is not None and error.errno in PATHS:
        return f"{error.filename}: {PATHS[error.errno]}", UsageError.exit_code
    return f"{error.filename or 'the system'}: {error.strerror or error}", EngineError.exit_code


def _bug(error: Exception) -> tuple[str, int]:
    """Keep the traceback in a file, and return what to say."""
    with tempfile.NamedTemporaryFile("w", prefix="baker-bug-", suffix=".txt", delete=False, encoding="utf-8") as file:
        file.write(f"baker {' '.join(sys.argv[1:])}\n")
        traceback.print_exception(error, file=file)
    return f"this is a bug of baker ({type(error).__name__}: {error}); please report it with {file.name}", BUG
