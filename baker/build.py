"""Building: one call of `docker buildx bake`, followed live, with everything it prints in a log."""

from __future__ import annotations

import re
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker import run
from baker.errors import BuildError, CommandError, EngineError
from baker.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from baker.progress import Failure, Stage
    from baker.run import Process

BUILDX_HINT = (
    "install the buildx plugin: `sudo apt-get install docker-buildx` (Debian 13, Ubuntu), or `make setup` in a checkout"
)
QUIET_SECONDS = 30
# What to do about the usual reasons, by what the programs say.
HINTS = (
    (
        r"no space left on device",
        "The disk is full: `docker system df` and `docker buildx du` show what takes the room.",
    ),
    (r"certificate|self.signed", "TLS failed: name your CA bundle in baker.toml, [secrets] ca."),
    (
        r"could not resolve|failure resolving|service not known|connection refused|could not connect|unreachable",
        "A download failed: is the network there? Mirrors go into baker.toml, [mirrors].",
    ),
    (r"lock ?file .* needs to be updated", "A lock is out of date: run `baker lock`."),
)


@dataclass(frozen=True, kw_only=True)
class Since:
    """The first releases that know something: Docker's own builder, and BuildKit by itself."""

    docker: tuple[int, int]
    buildkit: tuple[int, int]


LINK = Since(docker=(23, 0), buildkit=(0, 10))


@dataclass(frozen=True, kw_only=True)
class StageTime:
    """A stage of a finished build; `seconds` is 0 when it came from the cache."""

    name: str
    cached: bool
    seconds: float


def require_buildx() -> str:
    """Return buildx's version, or raise EngineError with how to get it."""
    run.find("docker", "see https://docs.docker.com/engine/install/")
    try:
        return run.capture(["docker", "buildx", "version"]).split()[1].lstrip("v")
    except (CommandError, IndexError) as error:
        raise EngineError(f"docker has no buildx: {BUILDX_HINT}") from error


def named(builder: str) -> list[str]:
    """Return the option that picks a builder; none for the current one."""
    return [f"--builder={builder}"] if builder else []


def knows_link(builders: Sequence[str], engine_version: str) -> bool:
    """Whether builders know `COPY --link`; none means the current one."""
    return all(driver(builder, engine_version, LINK)[1] for builder in builders or ("",))


def driver(builder: str, engine_version: str, since: Since) -> tuple[str, bool]:
    """Return a builder's driver, as in "docker" or "docker-container", and whether it is new enough for something.

    A builder that is not running is started: only then it says what it is.
    """
    try:
        told = run.capture(["docker", "buildx", "inspect", "--bootstrap", *named(builder)])
    except CommandError as error:
        raise EngineError(f"no such builder: {error.tail}; `docker buildx ls` lists them") from error
    found = re.search(r"^Driver:\s+(\S+)", told, re.MULTILINE)
    name = found[1] if found else ""
    if name == "docker":
        return name, _numbers(engine_version) >= since.docker
    kit = re.search(r"^Build[Kk]it(?: version)?:\s+v?(\S+)", told, re.MULTILINE)
    return name, kit is not None and _numbers(kit[1]) >= since.buildkit


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def arguments(
    *,
    builder: str,
    secrets: Sequence[tuple[str, Path]],
    output: str,
    tags: Mapping[str, str],
    caches: Sequence[str] = (),
    contexts: Mapping[str, str] | None = None,
    more: Sequence[str] = (),
    epoch: int | None = None,
    provenance: bool = False,
) -> list[str]:
    """Return the argument list of bake.

    Args:
        builder: buildx's builder; empty is the current one.
        secrets: (id, file).
        output: an exporter, as in "type=docker"; "{target}" in it becomes the target's name.
        tags: the one tag that each target gets.
        caches: what registrycache.options() gave.
        contexts: where images that the Dockerfile names are to be found instead, as in "oci-layout:///path@sha256:…".
        more: targets besides those with tags, which are built for the cache alone.
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
        *([f"--set={target}.output={output.format(target=target)}" for target in tags] if output else []),
        f"--set=*.attest=type=provenance,{'mode=max' if provenance else 'disabled=true'}",
        *(f"--set={target}.tags={tag}" for target, tag in tags.items()),
        *(f"--set={option}" for option in caches),
        *(f"--set=*.contexts.{image}={place}" for image, place in (contexts or {}).items()),
        *([] if epoch is None else [f"--set=*.args.SOURCE_DATE_EPOCH={epoch}"]),
        *tags,
        *more,
    ]


def bake(
    argv: Sequence[str],
    *,
    context: Path,
    log: Path,
    console: Console,
    seen: Callable[[tuple[StageTime, ...]], None],
    label: str = "",
    started: Callable[[Process], None] = lambda _: None,
) -> None:
    """Run bake in a build context.

    Args:
        argv: what arguments() gave.
        context: the folder of the build context.
        log: the file that everything printed goes to.
        console: where progress is shown.
        seen: is told the stages that are done, also when others failed.
        label: stands before each line where several builds print to one console.
        started: is handed the process.

    Raises:
        BuildError: a stage failed; the message has stage, command, last lines and the path of the log.
    """
    progress = Progress()
    log.parent.mkdir(parents=True, exist_ok=True)
    # A context that baker wrote names only its own files, so that newer releases need not ask whether bake may read.
    environment = {"BUILDX_BAKE_ENTITLEMENTS_FS": "0", "BUILDX_GIT_INFO": "0"}
    last = ""
    try:
        with (
            log.open("w", buffering=1, encoding="utf-8") as file,
            run.stream(argv, cwd=context, env=environment) as process,
        ):
            started(process)
            file.write(" ".join(argv) + "\n")
            assert process.stdout is not None  # noqa: S101 - stream() opens it
            with _shown(console, progress, label) as show:
                for line in process.stdout:
                    for text in progress.feed(line):
                        file.write(text + "\n")
                        last = text
                    show(progress)
            code = process.wait()
    finally:
        seen(_times(progress))
    if code:
        raise BuildError(_explain(progress.failure, last, log))


def _times(progress: Progress) -> tuple[StageTime, ...]:
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


@contextmanager
def _shown(console: Console, progress: Progress, label: str) -> Iterator[Show]:
    show = Show(console, label)
    try:
        with show.live():
            yield show
    finally:
        show.rest(progress)


class Show:
    """Prints a line as each stage ends; on a terminal, a line for what is running stays below, if nobody else's does.

    With a label, others print to the console too.
    """

    def __init__(self, console: Console, label: str = "") -> None:
        self._console = console
        self._label = f"{label}: " if label else ""
        self._printed: set[str] = set()
        self._spoke = time.monotonic()
        self._status = console.status("starting") if console.is_terminal and not label else None

    @contextmanager
    def live(self) -> Iterator[None]:
        """Keep the line for what is running on the terminal while the block lasts."""
        if self._status is None:
            yield
            return
        with self._status:
            yield

    def __call__(self, progress: Progress) -> None:
        """Show what has changed."""
        for stage in progress.stages.values():
            if stage.complete and stage.name not in self._printed and stage.name != "root":
                self._line(stage)
        running = _running(progress)
        if self._status is not None:
            self._status.update(running or "waiting")
        elif running and time.monotonic() - self._spoke > QUIET_SECONDS:
            self._console.print(f"  {self._label}… {running}", highlight=False)
            self._spoke = time.monotonic()

    def rest(self, progress: Progress) -> None:
        """Flush what is left when the build has ended."""
        self(progress)
        sys.stdout.flush()

    def _line(self, stage: Stage) -> None:
        self._printed.add(stage.name)
        self._spoke = time.monotonic()
        what = "cached" if stage.from_cache else duration(stage.seconds)
        self._console.print(f"  {self._label}{stage.name:<36} {what:>12}", highlight=False)


def duration(seconds: float) -> str:
    """Return seconds as people say them."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{seconds:.1f} s"


def _running(progress: Progress) -> str:
    running = [stage for stage in progress.stages.values() if stage.started and not stage.complete]
    names = [f"{stage.name} {_bar(stage.note)}".strip() for stage in running]
    if not names and progress.exporting:
        names.append(progress.exporting)
    return ", ".join(names)


def _bar(note: str) -> str:
    """Return "crate 120 of 345" with a bar before it."""
    words = note.split()
    if not words:
        return ""
    done, total = int(words[1]), int(words[3])
    filled = round(20 * done / total)
    return f"{'█' * filled}{'░' * (20 - filled)} {note}"
