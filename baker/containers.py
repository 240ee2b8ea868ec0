"""Containers of a moment: created, asked, and removed however that ends."""

from __future__ import annotations

import time
import uuid
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from baker import chunks, run
from baker.engine import connect
from baker.errors import CommandError, EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LABEL = "dev.baker.container"
LATE_LOOKS = 20
# The container has ended: before the engine was asked, or while it was at it.
ENDED = (409, 404)


def copied(reference: str, paths: Sequence[str]) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield each path of an image, a file or a folder, that is there, with its tar stream."""
    import docker  # noqa: PLC0415

    # Nothing of it runs: an image without a command can be read too.
    with container(reference, ["true"]) as made:
        for path in paths:
            try:
                content, _ = made.get_archive(path)
            except docker.errors.NotFound:
                continue
            yield path, chunks.stream(content)


@contextmanager
def container(
    reference: str,
    command: Sequence[str],
    *,
    volume: tuple[str, bytes] | None = None,
    **options: Any,  # noqa: ANN401 - the SDK names them
) -> Iterator[Any]:
    """Create a container and yield the SDK's handle. It goes with the block, however that ends, and so do its volumes.

    Args:
        reference: the image.
        command: the arguments of its entrypoint.
        volume: where a volume goes, and a tar archive of what is in it: it can be filled when all else is read-only.
        options: what else `docker create` knows, as the SDK names it.

    Raises:
        EngineError: the engine refuses to create it, or what the block asks of it.
    """
    import docker  # noqa: PLC0415
    import requests  # noqa: PLC0415 - what the SDK lets through

    mark = uuid.uuid4().hex
    with connect() as client:
        made = None
        if volume:
            options["mounts"] = [{"Type": "volume", "Target": volume[0]}]
        try:
            made = client.containers.create(reference, list(command), labels={LABEL: mark}, **options)
            if volume:
                made.put_archive(*volume)
            yield made
        except docker.errors.APIError as error:
            raise EngineError(f"docker cannot run {reference}: {error.explanation}") from error
        except requests.RequestException as error:
            raise EngineError(f"docker does not answer while {reference} runs: {error}") from error
        finally:
            # Ctrl-C may come between the engine's making it and its id's arrival, so it is found by its label; an
            # engine that was still at it gets a moment.
            for _ in range(LATE_LOOKS if made is None else 1):
                found = client.containers.list(all=True, filters={"label": f"{LABEL}={mark}"})
                for item in found:
                    item.remove(force=True, v=True)
                if made is not None or found:
                    break
                time.sleep(0.1)


def execute(made: Any, command: Sequence[str]) -> str:  # noqa: ANN401 - the SDK's own
    """Run a program in a container and return what it printed; nothing when the container has ended."""
    import docker  # noqa: PLC0415

    try:
        return str(made.exec_run(list(command)).output.decode(errors="replace"))
    except docker.errors.APIError as error:
        if error.status_code in ENDED:
            return ""
        raise


def run_once(reference: str, command: Sequence[str], **options: Any) -> str:  # noqa: ANN401 - the SDK names them
    """Run a container to its end, remove it, and return what it printed on both streams.

    Raises:
        CommandError: it ended with another exit code than 0.
        EngineError: it could not be run.
    """
    with container(reference, command, **options) as made:
        made.start()
        code = int(made.wait()["StatusCode"])
        output = str(made.logs().decode(errors="replace"))
    if code:
        raise CommandError(tuple(command), code, "\n".join(output.splitlines()[-run.TAIL_LINES :]))
    return output
