"""The project's settings: baker.toml over defaults.toml, which is the list of all options."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from baker import toml
from baker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BASES = ("auto", "nvidia", "debian")
ACCELS = ("cuda", "cpu")
VARIANTS = ("slim", "builder")
# What the pins are for.
PLATFORMS = ("linux/amd64",)
COMPRESSIONS = ("uncompressed", "gzip", "zstd")
CAPABILITY = re.compile(r"(\d{1,2})\.?(\d)")
# Older cards have no kernels in candle; the list is open at its end, since PTX runs on cards that are not made yet.
OLDEST_CAPABILITY = 70


@dataclass(frozen=True, kw_only=True)
class Mirrors:
    """Where outside files come from; an empty string is the tool's own default."""

    registry: str
    debian: str
    debian_security: str
    ubuntu: str
    crates: str
    pypi: str
    python: str
    python_downloads_json: str
    rust: str


@dataclass(frozen=True, kw_only=True)
class Publishing:
    """How images are compressed and signed for a registry: with a key, or by an identity that an issuer vouches for."""

    compression: str
    key: str
    public_key: str
    identity: str
    issuer: str
    transparency_log: bool


@dataclass(frozen=True, kw_only=True)
class Settings:
    """baker.toml, parsed. `capabilities` are whole numbers: 80 is compute capability 8.0."""

    registry: str
    namespace: str
    tag: str
    base: str
    accel: str
    capabilities: tuple[int, ...]
    variant: str
    builders: tuple[str, ...]
    platforms: tuple[str, ...]
    compression: str
    reproducible: bool
    cache_from: tuple[str, ...]
    cache_to: str
    ca: str
    netrc: str
    publishing: Publishing
    mirrors: Mirrors


def load(path: Path | None) -> Settings:
    """Read baker.toml (None: defaults alone).

    Raises:
        UsageError: a key is unknown or a value is wrong; the message names the file and the table.
    """
    defaults = toml.read(_defaults()).values
    own: dict[str, Any] = toml.read(path).values if path else {}
    where = str(path or "defaults")
    for name, table in own.items():
        if name not in defaults:
            raise UsageError(f"{where}: unknown table [{name}]; {toml.closest(name, list(defaults))}")
        if not isinstance(table, dict):
            raise UsageError(f"{where}: [{name}] is a table")
        for key in table:
            if key not in defaults[name]:
                raise UsageError(f"{where} [{name}]: unknown key {key!r}; {toml.closest(key, list(defaults[name]))}")
    tables = {name: toml.Table({**table, **own.get(name, {})}, f"{where} [{name}]") for name, table in defaults.items()}
    images, build, secrets, mirrors, publish = (
        tables[name] for name in ("images", "build", "secrets", "mirrors", "publish")
    )
    return Settings(
        registry=images.text("registry"),
        namespace=images.text("namespace"),
        tag=images.text("tag"),
        base=_word(build, "base", BASES),
        accel=_word(build, "accel", ACCELS),
        capabilities=parse_capabilities(build.strings("capabilities"), build.where),
        variant=_word(build, "variant", VARIANTS),
        builders=parse_words([build.text("builder")]),
        platforms=parse_platforms(build.strings("platforms"), f"{build.where} platforms"),
        compression=_word(build, "compression", COMPRESSIONS),
        reproducible=build.flag("reproducible", default=False),
        cache_from=build.strings("cache-from"),
        cache_to=build.text("cache-to"),
        ca=secrets.text("ca"),
        netrc=secrets.text("netrc"),
        publishing=Publishing(
            compression=_word(publish, "compression", COMPRESSIONS),
            key=publish.text("key"),
            public_key=publish.text("public-key"),
            identity=publish.text("identity"),
            issuer=publish.text("issuer"),
            transparency_log=publish.flag("transparency-log", default=True),
        ),
        mirrors=Mirrors(**{key.replace("-", "_"): value for key, value in mirrors.words().items()}),
    )


def parse_capabilities(words: Iterable[str], where: str) -> tuple[int, ...]:
    """Return compute capabilities as sorted whole numbers, from "8.0", "80" or comma-separated lists of those."""
    found = set()
    for word in ",".join(words).split(","):
        match = CAPABILITY.fullmatch(word.strip())
        if not match or int("".join(match.groups())) < OLDEST_CAPABILITY:
            raise UsageError(
                f"{where}: {word.strip()!r} is no compute capability from 7.0 on; write it as in '8.0', '7.5,8.0' "
                "(the list of cards: https://developer.nvidia.com/cuda-gpus)"
            )
        found.add(int("".join(match.groups())))
    return tuple(sorted(found))


def parse_words(words: Iterable[str]) -> tuple[str, ...]:
    """Return the words of comma-separated lists, each once, in order."""
    return tuple(dict.fromkeys(word.strip() for word in ",".join(words).split(",") if word.strip()))


def parse_platforms(words: Iterable[str], where: str) -> tuple[str, ...]:
    """Return platforms, as in "linux/amd64", from comma-separated lists, or raise UsageError for one without pins."""
    found = parse_words(words)
    for platform in found:
        if platform not in PLATFORMS:
            raise UsageError(
                f"{where}: nothing can be built for {platform} yet: baker.lock has uv, Rust and Python, and each "
                f"uv.lock its wheels, for {', '.join(PLATFORMS)} only"
            )
    return found


def one_of(value: str, legal: tuple[str, ...], where: str) -> str:
    """Return the value, or raise UsageError with the closest legal one."""
    if value not in legal:
        raise UsageError(f"{where}: unknown value {value!r}; {toml.closest(value, list(legal))}")
    return value


def _word(table: toml.Table, key: str, legal: tuple[str, ...]) -> str:
    return one_of(table.text(key), legal, f"{table.where} {key}")


def _defaults() -> Path:
    return resources.files("baker") / "defaults.toml"  # type: ignore[return-value]
