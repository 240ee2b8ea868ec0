"""Which files of the Hugging Face hub a moshi-server config makes the server load. Without network and disk.

Sources: moshi-server 0.6.4's utils.rs, tts.py and batched_asr.py, and moshi 0.2.13's models/loaders.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from baker.errors import UsageError
from baker.models.listing import is_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

FILE, SNAPSHOT = "hf://", "hf-snapshot://"
# A repository's name, by the rules of huggingface_hub.utils.validate_repo_id.
REPO = re.compile(r"(?!.*(--|\.\.|\.git$))(?=.{1,96}$)[A-Za-z0-9_]([\w.-]*\w)?(/[A-Za-z0-9_]([\w.-]*\w)?)?", re.ASCII)
# The defaults of the server's own scripts for keys that the `py` table lacks: a repository, and local files.
SCRIPTS: dict[str, dict[str, str]] = {
    "Py": {"hf_repo": "kyutai/tts-1.6b-en_fr"},
    "PyBatchedAsr": {
        "hf_repo": "kyutai/moshiko-pytorch-bf16",
        "moshi_weight": "~/models/moshi/moshi_b1d046da_445/checkpoint.safetensors",
        "config_path": "~/models/moshi/moshi_b1d046da_445/config.json",
        "tokenizer": "~/models/mimi/tokenizer-e351c8d8-checkpoint125.safetensors",
    },
}
DEFAULT_VOICE = "barack_demo.wav"
# A key of config.json, the key of the `py` table that replaces it, and its default.
NAMED = (
    ("moshi_name", "moshi_weight", "model.safetensors"),
    ("mimi_name", "mimi_weight", "tokenizer-e351c8d8-checkpoint125.safetensors"),
    ("tokenizer_name", "tokenizer", "tokenizer_spm_32k_3.model"),
    ("mimi_config_name", "", ""),
    ("lora_name", "", ""),
)


@dataclass(frozen=True, kw_only=True, order=True)
class File:
    """A file of a repository, as `hf://ORG/NAME/PATH` names it."""

    repo: str
    path: str

    def __str__(self) -> str:
        """Return it as a config writes it."""
        return f"{FILE}{self.repo}/{self.path}"


@dataclass(frozen=True, kw_only=True, order=True)
class Voices:
    """The files of a repository that match a pattern, as `hf-snapshot://ORG/NAME/PATTERN` names them.

    `pattern` is empty where all match. `default` is the voice that the server does not start without.
    """

    repo: str
    pattern: str
    default: str


@dataclass(frozen=True, kw_only=True, order=True)
class Checkpoint:
    """A repository whose config.json names its files. `given` are the keys of the `py` table that replace names."""

    repo: str
    config: File
    given: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What configs name, sorted."""

    files: tuple[File, ...] = ()
    voices: tuple[Voices, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()


def collect(configs: Iterable[tuple[str, Mapping[str, Any]]]) -> Needs:
    """Return what configs make the server load. Each comes with its name for messages.

    Raises:
        UsageError: a name is not of the form hf://ORG/NAME/FILE, or a checkpoint's own config cannot be read from here.
    """
    files: set[File] = set()
    voices: set[Voices] = set()
    checkpoints: set[Checkpoint] = set()
    for where, config in configs:
        files.update(file(text, where) for text in _strings(config) if text.startswith(FILE))
        modules = config.get("modules")
        for module in modules.values() if isinstance(modules, dict) else ():
            if not isinstance(module, dict):
                continue
            python = module.get("py")
            python = python if isinstance(python, dict) else {}
            voices.update(_voices(python, where))
            checkpoints.update(_checkpoint(module, python, where))
    return Needs(files=tuple(sorted(files)), voices=tuple(sorted(voices)), checkpoints=tuple(sorted(checkpoints)))


def file(text: str, where: str) -> File:
    """Read `hf://ORG/NAME/PATH`."""
    organisation, _, rest = text.removeprefix(FILE).partition("/")
    name, _, path = rest.partition("/")
    repo = f"{organisation}/{name}"
    if not (organisation and name and REPO.fullmatch(repo) and is_path(path)):
        raise UsageError(f"{where}: {text!r} has not the form {FILE}ORG/NAME/FILE")
    return File(repo=repo, path=path)


def named_files(checkpoint: Checkpoint, config: Mapping[str, Any]) -> tuple[File, ...]:
    """Return the files that a checkpoint's config.json names and the server's config does not replace."""
    found = []
    for key, replaced_by, default in NAMED:
        name = config.get(key, default)
        if replaced_by in checkpoint.given or not name or str(name).startswith("file://"):
            continue
        remote = str(name).startswith(FILE)
        found.append(file(name, str(checkpoint.config)) if remote else File(repo=checkpoint.repo, path=str(name)))
    return tuple(sorted(found))


def choose(voices: Voices, paths: Iterable[str], *, everything: bool) -> tuple[str, ...]:
    """Return which paths of a repository to fetch: those in or below the default voice's folder, or all that match.

    Unmute has voices in `unmute-prod-website/` and in `unmute-prod-website/freesound/`. Of a default voice that lies in
    no folder, only the files beside it are taken: everything lies below it.
    """
    folder = PurePosixPath(voices.default).parent
    top = folder == PurePosixPath()
    return tuple(
        sorted(
            path
            for path in paths
            # As huggingface_hub's allow_patterns: "*" matches "/" too, and a folder stands for all that is in it.
            if (not voices.pattern or fnmatchcase(path, voices.pattern + ("*" if voices.pattern.endswith("/") else "")))
            and (everything or folder in (PurePosixPath(path).parents if not top else (PurePosixPath(path).parent,)))
        )
    )


def has_default(voices: Voices, paths: Iterable[str]) -> bool:
    """Return whether the default voice is among some paths. Its file's name ends with the model's signature."""
    return any(path == voices.default or path.startswith(f"{voices.default}.") for path in paths)


def _voices(python: Mapping[str, Any], where: str) -> Iterator[Voices]:
    text = python.get("voice_folder")
    if not isinstance(text, str) or not text.startswith(SNAPSHOT):
        return
    organisation, _, rest = text.removeprefix(SNAPSHOT).partition("/")
    name, _, pattern = rest.partition("/")
    repo = f"{organisation}/{name}"
    if not (organisation and name and REPO.fullmatch(repo)):
        raise UsageError(f"{where}: {text!r} has not the form {SNAPSHOT}ORG/NAME/PATTERN")
    yield Voices(repo=repo, pattern=pattern, default=str(python.get("default_voice", DEFAULT_VOICE)))


def _checkpoint(module: Mapping[str, Any], python: Mapping[str, Any], where: str) -> Iterator[Checkpoint]:
    # A script of the user's own loads what it likes: only what its table names is known.
    table = {**({} if module.get("script") else SCRIPTS.get(str(module.get("type")), {})), **python}
    if not table.get("hf_repo"):
        return
    repo, replaceable = str(table["hf_repo"]), {key for _, key, _ in NAMED if key}
    if not REPO.fullmatch(repo):
        raise UsageError(f"{where}: hf_repo = {repo!r} has not the form ORG/NAME")
    given = tuple(sorted(key for key in replaceable if table.get(key)))
    path = str(table.get("config_path") or f"{FILE}{repo}/config.json")
    if path.startswith(FILE):
        yield Checkpoint(repo=repo, config=file(path, where), given=given)
    elif len(given) < len(replaceable):
        raise UsageError(
            f"{where}: config_path = {path} is not read here, though it names files: set "
            f"{' and '.join(sorted(replaceable - set(given)))} beside it, or let config_path begin with {FILE}"
        )


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
