"""What containers of a moment are used for: reading files of an image, and running a program to its end."""

from __future__ import annotations

from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from baker.errors import CommandError
from baker.system import process, streams

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from baker.engine.interface import Engine

# Every container of engine.container() has this label.
MOMENTARY = "dev.baker.container"
# The container has ended: before the engine was asked, or while it was at it.
ENDED = (409, 404)


def copied(engine: Engine, reference: str, paths: Sequence[str]) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield each path of an image, a file or a folder, that is there, with its tar stream."""
    import docker  # noqa: PLC0415 - slow to import, and `baker --help` has no use for it

    # Nothing of it runs: an image without a command can be read too.
    with engine.container(reference, ["true"]) as made:
        for path in paths:
            try:
                content, _ = made.get_archive(path)
            except docker.errors.NotFound:
                continue
            yield path, streams.stream(content)


@contextmanager
def exported(engine: Engine, reference: str) -> Iterator[IO[bytes]]:
    """Yield the whole file system of an image as a tar stream. Nothing of it runs."""
    with engine.container(reference, ["true"]) as made:
        yield streams.stream(made.export(chunk_size=streams.SIZE))


def execute(made: Any, command: Sequence[str]) -> str:  # noqa: ANN401 - the SDK's own
    """Run a program in a container and return what it printed; nothing when the container has ended."""
    import docker  # noqa: PLC0415 - slow to import, and `baker --help` has no use for it

    try:
        return str(made.exec_run(list(command)).output.decode(errors="replace"))
    except docker.errors.APIError as error:
        if error.status_code in ENDED:
            return ""
        raise


def run_once(engine: Engine, reference: str, command: Sequence[str], **options: Any) -> str:  # noqa: ANN401
    """Run a container to its end, remove it, and return what it printed on both streams.

    Args:
        engine: where it runs.
        reference: the image.
        command: the arguments of its entrypoint.
        options: what else `docker create` knows, as the SDK names it.

    Raises:
        CommandError: it ended with another exit code than 0.
        EngineError: it could not be run.
    """
    with engine.container(reference, command, **options) as made:
        made.start()
        # Followed to the end: what is asked for after the end may lag behind it on a busy engine.
        output = b"".join(made.logs(stream=True, follow=True)).decode(errors="replace")
        code = int(made.wait()["StatusCode"])
    if code:
        raise CommandError(tuple(command), code, "\n".join(output.splitlines()[-process.TAIL_LINES :]))
    return output
