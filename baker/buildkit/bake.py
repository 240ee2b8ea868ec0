"""Building: one call of `docker buildx bake`, followed live, with everything it prints in a log."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TextIO

from baker.buildkit.builder import named
from baker.buildkit.progress import Progress
from baker.errors import BuildError
from baker.system import process

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from baker.buildkit.display import Screen
    from baker.buildkit.progress import Failure
    from baker.system.process import Process

# What `baker -v` shows.
_log = logging.getLogger(__name__)
# Of builds that run side by side and share steps, BuildKit now and then loses one. What was done is kept, so that a
# second try goes on from there. https://github.com/moby/buildkit/issues/3635
OWN_FAULTS = ("failed to get state for index", "inconsistent graph state", "failed to get edge")
ONCE_MORE = "BuildKit lost a step that it shares with another build, a fault of its own: building once more"
# What to do about the usual reasons, by what the programs say.
HINTS = (
    (
        r"no space left on device",
        "The disk is full: `docker system df` and `docker buildx du` show what takes the room.",
    ),
    (r"certificate|self.signed", "TLS failed: name your CA bundle in baker.toml, [secrets] ca."),
    (
        r"could not resolve|failure resolving|service not known|connection refused|could not connect|unreachable",
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
    seen: Callable[[Progress], None],
    started: Callable[[Process], None] = lambda _: None,
) -> None:
    """Run bake in a build context.

    Args:
        argv: what arguments() gave.
        context: the folder of the build context.
        environment: that of docker.
        log: the file that everything printed goes to.
        screen: where progress is shown.
        seen: is told how far the build came, also when it failed.
        started: is handed the process.

    Raises:
        BuildError: a stage failed; the message has stage, command, last lines and the path of the log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    # A context that baker wrote names only its own files, so that newer releases need not ask whether bake may read.
    told = {**environment, "BUILDX_BAKE_ENTITLEMENTS_FS": "0", "BUILDX_GIT_INFO": "0"}
    run = partial(process.stream, argv, cwd=context, env=told)
    progress = Progress()
    with log.open("w", buffering=1, encoding="utf-8") as file:

        def build() -> None:
            nonlocal progress
            progress = Progress()
            file.write(" ".join(argv) + "\n")
            code, last = _followed(run, file, progress, screen, started)
            if code:
                raise BuildError(_explain(progress.failure, last, log))

        try:
            patiently(build, partial(screen.console.print, highlight=False))
        finally:
            seen(progress)


def patiently(build: Callable[[], None], say: Callable[[str], None]) -> None:
    """Build, and once more if BuildKit fails by a fault of its own. Raises the BuildError of anything else."""
    try:
        build()
    except BuildError as error:
        if not any(fault in str(error) for fault in OWN_FAULTS):
            raise
        say(ONCE_MORE)
        build()


def _followed(
    run: Callable[[], AbstractContextManager[Process]],
    log: TextIO,
    progress: Progress,
    screen: Screen,
    started: Callable[[Process], None],
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
