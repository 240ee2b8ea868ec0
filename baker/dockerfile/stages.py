"""What each stage of a Dockerfile is made of, with digests that change just when BuildKit would run something anew."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker.config import platforms, uvlock
from baker.dockerfile import quoting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from baker.config.platforms import Platform
    from baker.dockerfile.render import Rendered

LENGTH = 16
# These make layers; the others change the image's settings, or what the RUNs after them see.
LAYERING = ("RUN", "COPY", "ADD", "WORKDIR")
SEEN_BY_RUN = ("ARG", "ENV", "SHELL", "USER", "WORKDIR")
FLAG = re.compile(r"--([a-z]+)(?:=(\S+))?\s+")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage of a Dockerfile.

    `layers` is the digest of all that its layers come from, `own` that without the stages before it, `whole` that with
    labels, environment and command.
    `parent` is the stage that it is made from and `sources` are those that it copies or mounts files of: a parent that
    runs makes it run, a source only when other files come out. `image` is the image that it is made from, if it is one.
    `inputs` are its own (name, value) pairs, for people.
    """

    name: str
    layers: str
    own: str
    whole: str
    parent: str
    image: str
    sources: tuple[str, ...]
    instructions: tuple[str, ...]
    inputs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class _Instruction:
    """One instruction, with what it takes from other stages and from the build context.

    `text` has single spaces, for people; `exact` is what BuildKit compares: spaces between flags do not count there.
    """

    keyword: str
    text: str
    exact: tuple[str, ...]
    sources: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


def read(
    files: Sequence[Rendered], pins: Mapping[str, str] | None = None, platform: Platform = platforms.ALL[0]
) -> tuple[Stage, ...]:
    """Return the stages of a build context, in the Dockerfile's order.

    Args:
        files: the context.
        pins: what outside versions are called, as in {"crate moshi-server": "0.6.4"}; a stage has those that it names
            among its inputs. None leaves all inputs out, for who asks for digests alone.
        platform: what the images are for; an index has the images of several under one digest.
    """
    dockerfile = next(file for file in files if file.path == "Dockerfile")
    found: dict[str, Stage] = {}
    inherited: dict[str, str] = {}
    for header, body in _split(dockerfile.content.decode()):
        start, _, name = header.partition(" AS ")
        # A stage that compiles names the builder's platform; all others are of the images'.
        flag, _, origin = start.rpartition(" ")
        suffix = platform.suffix if not flag and origin not in found else ""
        instructions = [_instruction(line) for line in body]
        last_run = max((at for at, item in enumerate(instructions) if item.keyword == "RUN"), default=-1)
        # BuildKit compares what an image holds: a digest says that, a tag does not.
        own: list[object] = [f"{origin}{suffix}" if "@" in origin else suffix]
        before = [inherited.get(origin, f"{origin}{suffix}")]
        for at, item in enumerate(instructions):
            if item.keyword in LAYERING or (at < last_run and item.keyword in SEEN_BY_RUN):
                content = [(file.path, file.mode, _sha(file.content)) for file in _inside(files, item.paths)]
                own.append([item.exact, content])
                before += [found[source].layers for source in item.sources if source in found]
        layers = _digest([own, before])
        found[name] = Stage(
            name=name,
            layers=layers,
            own=_digest(own),
            whole=_digest([layers, [item.exact for item in instructions]]),
            parent=origin if origin in found else "",
            image="" if origin in found else origin,
            sources=tuple(sorted({source for item in instructions for source in item.sources if source in found})),
            instructions=(f"FROM {start}", *(item.text for item in instructions)),
            inputs=tuple(sorted(_inputs(origin, instructions, files, pins).items())) if pins is not None else (),
        )
        seen = [item.exact for item in instructions if item.keyword in SEEN_BY_RUN]
        inherited[name] = _digest([layers, inherited.get(origin, ""), seen])
    return tuple(found.values())


def needed(stages: Iterable[Stage], target: str) -> tuple[Stage, ...]:
    """Return a stage and all that it is made from, in the Dockerfile's order."""
    by_name = {stage.name: stage for stage in stages}
    wanted, queue = set(), [target]
    while queue:
        stage = by_name[queue.pop()]
        if stage.name not in wanted:
            wanted.add(stage.name)
            queue += [*stage.sources, *([stage.parent] if stage.parent else [])]
    return tuple(stage for name, stage in by_name.items() if name in wanted)


def _split(text: str) -> list[tuple[str, list[str]]]:
    """Return ("IMAGE AS NAME", instructions) for each stage; comments are left out and continued lines joined."""
    lines = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("#"))
    stages: list[tuple[str, list[str]]] = []
    for line in lines.replace("\\\n", "").split("\n"):
        if line.startswith("FROM "):
            stages.append((line.removeprefix("FROM "), []))
        elif line.strip():
            stages[-1][1].append(line)
    return stages


def _instruction(line: str) -> _Instruction:
    keyword, _, rest = line.partition(" ")
    flags: list[tuple[str, str]] = []
    while keyword in ("RUN", "COPY", "ADD") and (match := FLAG.match(rest.lstrip())):
        flags.append((match[1], match[2] or ""))
        rest = rest.lstrip()[match.end() :]
    mounts = [dict(re.findall(r"(\w+)=([^,]+)", value)) for name, value in flags if name == "mount"]
    # What a COPY takes has the same two forms as a bind mount: files of another stage, or of the build context.
    takes = [mount for mount in mounts if mount.get("type") == "bind"]
    if keyword in ("COPY", "ADD"):
        takes = [{"source": quoting.source(rest), **dict(flags)}]
    return _Instruction(
        keyword=keyword,
        text=" ".join(line.split()),
        exact=(keyword, *(f"{name}={value}" for name, value in flags), rest),
        sources=tuple(take["from"] for take in takes if "from" in take),
        paths=tuple(take["source"] for take in takes if "from" not in take),
    )


def _inside(files: Sequence[Rendered], paths: Iterable[str]) -> list[Rendered]:
    """Return the files of the context that some paths, of files or folders, name."""
    wanted = tuple(paths)
    return [file for file in files if any(file.path == path or file.path.startswith(f"{path}/") for path in wanted)]


def _inputs(
    origin: str, instructions: Sequence[_Instruction], files: Sequence[Rendered], pins: Mapping[str, str]
) -> dict[str, str]:
    """Return what a stage is made from, under the names that people know it by."""
    own = _inside(files, (path for item in instructions for path in item.paths))
    inputs = {_known_as(file.path): _sha(file.content)[:LENGTH] for file in own}
    for file in own:
        if file.path.endswith("uv.lock"):
            inputs |= {f"pins: {name}": version for name, version in uvlock.versions(file.content).items()}
    generated = [file.content.decode() for file in own if file.path.startswith("files/")]
    text = "\n".join([origin, *(item.text for item in instructions), *generated])
    for name, value in pins.items():
        if value and re.search(rf"(?<![\d.]){re.escape(value)}(?!\.?\d)", text):
            inputs[name] = value
    return inputs


def _known_as(path: str) -> str:
    """Return a context file's place in the project: scripts lie under dockerfiles/ there."""
    return path if path.startswith("services/") else f"dockerfiles/{path}"


def _digest(value: object) -> str:
    return _sha(json.dumps(value).encode())[:LENGTH]


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
