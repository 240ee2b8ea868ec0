"""The project's settings: baker.toml, whose tables and keys are declared here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, get_args

import msgspec

from baker.config import cards, model, platforms, toml, values
from baker.config.cardtable import dotted, table
from baker.config.model import Table, about
from baker.errors import UsageError
from baker.system.suggestion import closest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BASES: tuple[str, ...] = get_args(values.Base)
ACCELS: tuple[str, ...] = get_args(values.Accel)
VARIANTS: tuple[str, ...] = get_args(values.Variant)
parse_capabilities = cards.parse_capabilities
Capability = Annotated[
    str, msgspec.Meta(extra_json_schema={"examples": [dotted(number) for number in table().capabilities]})
]


class Images(Table, frozen=True, kw_only=True):
    """Images are called NAMESPACE/SERVICE:TAG, with REGISTRY/ before it when one is given."""

    registry: Annotated[values.Registry, about("The registry of published images.")] = ""
    namespace: Annotated[values.Namespace, about("What stands before the names of services.")] = "baker"
    tag: Annotated[values.Tag, about("The tag that moves from build to build.")] = "latest"
    page: Annotated[
        bool, about("Whether images have the web page of their service, to try it with. See docs/page.md.")
    ] = True


class Build(Table, frozen=True, kw_only=True):
    """How images are built; most keys have an option of `baker build` that goes before them."""

    base: Annotated[values.Base, about("auto: nvidia when its registry has the pinned images, else debian.")] = "auto"
    accel: Annotated[values.Accel, about("cuda or cpu.")] = "cuda"
    capabilities: Annotated[
        tuple[Capability, ...],
        about(
            f"Compute capabilities, one binary each. A binary for {dotted(table().default)} runs on "
            f"{dotted(table().default)} and everything newer. See docs/cards.md."
        ),
    ] = (dotted(table().default),)
    cuda: Annotated[
        values.Cuda,
        about(
            "The CUDA release; auto is what the base has. A release that no base has comes from wheels, for services "
            "that have it among their toolkits. See docs/cuda13.md."
        ),
    ] = "auto"
    variant: Annotated[
        values.Variant,
        about(
            "slim, or builder: the same images with the toolchain, for versions and features that are compiled at "
            "start."
        ),
    ] = "slim"
    builder: Annotated[
        values.Builders,
        about(
            'The buildx builder; empty is the current one. Several, as in "here,there", share the images; see '
            "docs/remote.md."
        ),
    ] = ""
    platforms: Annotated[
        values.Platforms,
        about(
            'What images are built for, as in ["linux/arm64"]; empty is what the builder itself runs on. See '
            "docs/arm64.md."
        ),
    ] = ()
    compression: Annotated[
        values.Compression,
        about(
            'How layers are compressed in the local image store: "uncompressed" exports several times faster than '
            '"gzip". Publishing compresses by itself.'
        ),
    ] = "uncompressed"
    reproducible: Annotated[
        bool,
        about(
            "The same input gives the same bytes: everything in an image gets the time of the pins. See "
            "docs/reproducible.md."
        ),
    ] = False
    cache_from: Annotated[
        tuple[values.Repository, ...],
        about(
            'Repositories, as in "registry.example.com/speech/cache", that a build takes finished layers from. See '
            "docs/cache.md."
        ),
    ] = ()
    cache_to: Annotated[
        values.OptionalRepository, about("The repository that a build leaves its finished layers in.")
    ] = ""


class Mirrors(Table, frozen=True, kw_only=True):
    """Where outside files come from; an empty string is the tool's own default."""

    registry: Annotated[
        values.Registry,
        about(
            'A registry put before every image reference: "mirror.example.com/hub" makes '
            "mirror.example.com/hub/nvidia/cuda of nvidia/cuda."
        ),
    ] = ""
    debian: Annotated[values.Url, about("Debian's archive; {snapshot} in it becomes the pinned time.")] = (
        "http://deb.debian.org/debian"
    )
    debian_security: Annotated[values.Url, about("Debian's archive of security updates, likewise.")] = (
        "http://deb.debian.org/debian-security"
    )
    ubuntu: Annotated[values.Url, about("Ubuntu's archive, for the nvidia base; empty is what the image has.")] = ""
    crates: Annotated[values.Url, about('A sparse cargo index, as in "https://cargo.example.com/index/".')] = ""
    pypi: Annotated[values.Url, about('A Python index (PEP 503), as in "https://pypi.example.com/simple/".')] = ""
    python: Annotated[values.Url, about("uv's UV_PYTHON_INSTALL_MIRROR, where the managed CPython comes from.")] = ""
    python_downloads_json: Annotated[
        values.Url, about("uv's UV_PYTHON_DOWNLOADS_JSON_URL, the list of those CPythons.")
    ] = ""
    rust: Annotated[values.Url, about("Replaces https://static.rust-lang.org.")] = ""


class Downloads(Table, frozen=True, kw_only=True):
    """How patient the downloads of a build are. After a change they run again; nothing is compiled again."""

    timeout: Annotated[
        values.Seconds,
        about(
            "Seconds without a byte after which a download is tried again; a large file may take as long as it needs. "
            "What uv's UV_HTTP_TIMEOUT and cargo's CARGO_HTTP_TIMEOUT are set to; with the default, crates are "
            "tried again after 60."
        ),
    ] = 300
    retries: Annotated[
        values.Tries, about("How often a download is tried again (UV_HTTP_RETRIES, CARGO_NET_RETRY).")
    ] = 10


class Secrets(Table, frozen=True, kw_only=True):
    """What a build gets as a secret: it reaches no layer."""

    ca: Annotated[
        str,
        about(
            'The bundle of certificate authorities that builds trust: "auto" hands in the host\'s when it has a '
            'private one, "none" nothing, anything else is the path of a PEM file.'
        ),
    ] = "auto"
    netrc: Annotated[
        str, about("A netrc file with the logins of the mirrors; a URL with a login in it is refused everywhere.")
    ] = ""


class Publishing(Table, frozen=True, kw_only=True):
    """How images are compressed and signed for a registry: with a key, or by an identity that an issuer vouches for."""

    compression: Annotated[
        values.Compression,
        about(
            'How layers are compressed in the registry: "zstd" pulls fastest, "gzip" is what engines before Docker 23 '
            "can read."
        ),
    ] = "zstd"
    key: Annotated[
        str,
        about(
            "cosign's key: a file, or what else `cosign sign --key` takes. `cosign generate-key-pair` makes it and the "
            "public one; COSIGN_PASSWORD in the environment opens it."
        ),
    ] = ""
    public_key: Annotated[str, about("The public key that belongs to it.")] = "cosign.pub"
    identity: Annotated[str, about("Without a key, in CI: who signs, as a regular expression.")] = ""
    issuer: Annotated[values.Url, about("The issuer that vouches for that identity.")] = (
        "https://token.actions.githubusercontent.com"
    )
    transparency_log: Annotated[
        bool,
        about(
            "Whether signatures are also written to sigstore's public log. A registry that is nobody's business needs "
            "none."
        ),
    ] = True


class BakerToml(Table, frozen=True, kw_only=True):
    """baker.toml: the settings of a project. Every key has a default."""

    images: Images = Images()
    build: Build = Build()
    mirrors: Mirrors = Mirrors()
    downloads: Downloads = Downloads()
    secrets: Secrets = Secrets()
    publish: Publishing = Publishing()


@dataclass(frozen=True, kw_only=True)
class Settings:
    """baker.toml, parsed. `capabilities` are whole numbers: 80 is compute capability 8.0."""

    registry: str
    namespace: str
    tag: str
    page: bool
    base: str
    accel: str
    capabilities: tuple[int, ...]
    cuda: str
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
    downloads: Downloads


def load(path: Path | None) -> Settings:
    """Read baker.toml (None: defaults alone).

    Raises:
        UsageError: a key is unknown or a value is wrong; the message names the file and the table.
    """
    where = str(path or "defaults")
    found = model.read(BakerToml, toml.read(path) if path else {}, where)
    build = msgspec.structs.asdict(found.build)
    return Settings(
        **msgspec.structs.asdict(found.images),
        **msgspec.structs.asdict(found.secrets),
        **{
            **{key: value for key, value in build.items() if key != "builder"},
            "capabilities": parse_capabilities(found.build.capabilities, f"{where} [build] capabilities"),
            "cuda": cards.parse_cuda(found.build.cuda, f"{where} [build] cuda"),
            "builders": parse_words([found.build.builder]),
            "platforms": parse_platforms(found.build.platforms, f"{where} [build] platforms"),
        },
        publishing=found.publish,
        mirrors=found.mirrors,
        downloads=found.downloads,
    )


def parse_words(words: Iterable[str]) -> tuple[str, ...]:
    """Return the words of comma-separated lists, each once, in order."""
    return tuple(dict.fromkeys(word.strip() for word in ",".join(words).split(",") if word.strip()))


def parse_platforms(words: Iterable[str], where: str) -> tuple[str, ...]:
    """Return platforms, as in "linux/amd64", from comma-separated lists, or raise UsageError for an unknown one."""
    try:
        return tuple(platforms.find(word).name for word in parse_words(words))
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error


def parse_tag(word: str, where: str) -> str:
    """Return a tag, or raise UsageError where it is none."""
    return model.check(word, values.Tag, where)


def parse_repository(word: str, where: str) -> str:
    """Return a repository, or raise UsageError where it is none."""
    return model.check(word, values.Repository, where)


def one_of(value: str, legal: tuple[str, ...], where: str) -> str:
    """Return the value, or raise UsageError with the closest legal one."""
    if value not in legal:
        raise UsageError(f"{where}: unknown value {value!r}; {closest(value, legal)}")
    return value
