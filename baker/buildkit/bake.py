"""Building: one call of `docker buildx bake`, followed live, with everything it prints in a log."""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TextIO

from baker.buildkit.builder import named
from baker.buildkit.progress import Progress
from baker.errors import BuildError
from baker.system import patience, process

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from baker.buildkit.display import Screen
    from baker.buildkit.progress import Failure
    from baker.system.process import Process

# What `baker -v` shows.
_log = logging.getLogger(__name__)
# Of builds that run side by side and share steps, BuildKit before 0.14 loses one where the first of them ends early.
# What was done is kept, so that another try goes on from there; but it fails as well while any other build still holds
# on to the lost step, and those try again too: hence longer and longer pauses, by chance of different lengths.
# https://github.com/moby/buildkit/issues/3635
OWN_FAULTS = ("failed to get state for index", "inconsistent graph state", "failed to get edge")
AGAIN = "BuildKit lost a step that it shares with another build, a fault of its own: building again in {:.0f} s"
PAUSES = (1.0, 5.0, 15.0, 45.0)
# What to do about the usual reasons, by what the programs say.
HINTS = (
    (
        r"no space left on device",
        "The disk is full: `docker system df` and `docker buildx du` show what takes the room.",
    ),
    (r"certificate|self.signed", "TLS failed: name your CA bundle in baker.toml, [secrets] ca."),
    (
        r"(could not|failure) resolv|service not known|connection refused|(could not|unable to) connect|unreachable",
        "A download failed: is the network there? HTTPS_PROXY names a proxy. Mirrors go into baker.toml, [mirrors].",
    ),
    (r"lock ?file .* needs to be updated", "A lock is out of date: run `baker lock`."),
    (
        # cargo says it of a crate and of those that it needs; rustc says it of a function that is too new for it.
        r"requires rustc \d|use of unstable library feature",
        'The crate, or one that it needs, wants a newer Rust: name it in service.toml, [crate], as in rust = "1.88".',
    ),
)


@dataclass(frozen=True, kw_only=True)
class StageTime:
    """A stage of a finished build; `seconds` is 0 when it came from the cache."""

    name: str
    cached: bool
    seconds: float


def arguments(
    *,
    builder: str,
    secrets: Sequence[tuple[str, Path]],
    output: str,
    tags: Mapping[str, str],
    options: Sequence[str] = (),
    contexts: Mapping[str, str] | None = None,
    epoch: int | None = None,
    provenance: bool = False,
) -> list[str]:
    """Return the argument list of bake.

    Args:
        builder: buildx's builder; empty is the current one.
        secrets: (id, file).
        output: an exporter, as in "type=docker"; "{target}" in it becomes the target's name.
        tags: the one tag that each target gets; a target with an empty one is built for the cache alone.
        options: what cache_registry.options() and proxies.options() gave.
        contexts: where images that the Dockerfile names are to be found instead, as in "oci-layout:///path@sha256:…".
        provenance: whether to attach the fullest one; an image then comes with an index of its own.
        epoch: the time of everything in the images, in seconds since 1970; None leaves each its own.
    """
    return [
        "docker",
        "buildx",
        "bake",
        "--file=docker-bake.json",
        "--progress=rawjson",
        *named(builder),
        *(f"--set=*.secrets=id={name},src={path}" for name, path in secrets),
        *(
            [f"--set={target}.output={output.format(target=target)}" for target, tag in tags.items() if tag]
            if output
            else []
        ),
        f"--set=*.attest=type=provenance,{'mode=max' if provenance else 'disabled=true'}",
        *(f"--set={target}.tags={tag}" for target, tag in tags.items() if tag),
        *(f"--set={option}" for option in options),
        *(f"--set=*.contexts.{image}={place}" for image, place in (contexts or {}).items()),
        *([] if epoch is None else [f"--set=*.args.SOURCE_DATE_EPOCH={epoch}"]),
        *tags,
    ]


def bake(
    argv: Sequence[str],
    *,
    context: Path,
    environment: Mapping[str, str],
    log: Path,
    screen: Screen,
    started: Callable[[Process], None] = lambda _: None,
    watch: Callable[[Progress], None] = lambda _: None,
) -> None:
    """Run bake in a build context.

    Args:
        argv: what arguments() gave.
        context: the folder of the build context.
        environment: that of docker.
        log: the file that everything printed goes to.
        screen: where progress is shown.
        started: is handed the process.
        watch: is told how far the build has come, whenever BuildKit says anything: what it is told last is how the
            build went, also when it failed. Another try begins with another Progress.

    Raises:
        BuildError: a stage failed; the message has stage, command, last lines and the path of the log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    # A context that baker wrote names only its own files, so that newer releases need not ask whether bake may read.
    told = {**environment, "BUILDX_BAKE_ENTITLEMENTS_FS": "0", "BUILDX_GIT_INFO": "0"}
    run = partial(process.stream, argv, cwd=context, env=told)
    with log.open("w", buffering=1, encoding="utf-8") as file:

        def build() -> None:
            progress = Progress()
            file.write(" ".join(argv) + "\n")
            code, last = _followed(run, file, progress, screen, started=started, watch=watch)
            if code:
                raise BuildError(_explain(progress.failure, last, log))

        patiently(build, partial(screen.console.print, highlight=False))


def patiently(
    build: Callable[[], None], say: Callable[[str], None], wait: Callable[[float], None] = time.sleep
) -> None:
    """Build, and again after pauses while BuildKit fails by a fault of its own. Raises any other BuildError."""
    patience.patiently(
        build, passes=OWN_FAULTS, pauses=PAUSES, say=lambda seconds: say(AGAIN.format(seconds)), wait=wait
    )


def _followed(
    run: Callable[[], AbstractContextManager[Process]],
    log: TextIO,
    progress: Progress,
    screen: Screen,
    *,
    started: Callable[[Process], None],
    watch: Callable[[Progress], None],
) -> tuple[int, str]:
    """Run bake once; return its exit code and the last line that it printed."""
    last = ""
    with run() as child:
        started(child)
        assert child.stdout is not None  # noqa: S101 - stream() opens it
        with screen.shown(progress) as show:
            for line in child.stdout:
                for text in progress.feed(line):
                    log.write(text + "\n")
                    _log.debug("%s", text)
                    last = text
                show(progress)
                watch(progress)
        return child.wait(), last


def times(progress: Progress) -> tuple[StageTime, ...]:
    """Return the stages that are done."""
    return tuple(
        StageTime(name=stage.name, cached=stage.from_cache, seconds=round(stage.seconds, 2))
        for stage in progress.stages.values()
        if stage.complete
    )


def _explain(failure: Failure | None, last: str, log: Path) -> str:
    if failure is None:
        return f"docker buildx bake failed: {last or 'it printed nothing'}\nThe whole log: {log}"
    lines = [f"the stage {failure.stage or '(none)'} failed: {failure.error}", f"  command: {failure.command}"]
    lines += [f"  | {line}" for line in failure.tail]
    said = "\n".join([failure.error, *failure.tail])
    lines += [hint for pattern, hint in HINTS if re.search(pattern, said, re.IGNORECASE)][:1]
    return "\n".join([*lines, f"Nothing was tagged. The whole log: {log}"])
