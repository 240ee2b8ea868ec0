"""The types of values in a project's files: what each may be, and what is said where something else stands.

Patterns are of the kind that Python and JSON Schema have in common. No text of a file has control characters, see
model.py, so that "$" is its end.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, get_args

from msgspec import Meta

from baker.errors import UsageError
from baker.system import image_names, units

SIZE = f"^{units.SIZE}$"
# No folder of a path is called "." or "..".
_NO_DOTS = r"(?!(?:.*/)?\.\.?(?:/|$))"
_PART = "[A-Za-z0-9_.+@-]+"


class Size(int):
    """Bytes, read from text as in "1.35 GB" (units of a thousand)."""

    def __new__(cls, text: str = "0 B") -> Self:
        """Read a size, or raise ValueError."""
        try:
            return super().__new__(cls, units.size(text, "size"))
        except UsageError as error:
            raise ValueError(text) from error


def _like(pattern: str, noun: str, examples: str = "", *, empty: bool = False) -> Meta:
    """Return the rule of a text. `empty` says that it may also be empty."""
    whole = f"^(?:{pattern})?$" if empty else f"^(?:{pattern})$"
    return Meta(pattern=whole, extra={"noun": noun, "like": examples})


Base = Literal["auto", "nvidia", "debian"]
Accel = Literal["cuda", "cpu"]
Variant = Literal["slim", "builder"]
Compression = Literal["uncompressed", "gzip", "zstd"]
Platform = Literal["linux/amd64", "linux/arm64"]
Platforms = tuple[Annotated[str, Meta(extra_json_schema={"enum": list(get_args(Platform))})], ...]
Cuda = Annotated[str, _like("auto|[0-9]+[.][0-9]+", "auto or a CUDA release", "'13.0'")]
AccelKey = Annotated[str, Meta(pattern="^(?:cuda|cpu)$", extra={"legal": get_args(Accel)})]
BaseKey = Annotated[str, Meta(pattern="^(?:nvidia|debian)$", extra={"legal": ("nvidia", "debian")})]

# The name of an image has at most image_names.LONGEST characters: registry, namespace and service together.
_REGISTRY = ("a registry without https:// and in lower case", "'registry.example.com' or 'ghcr.io/team'")
Registry = Annotated[str, _like(f"(?!.{{129}}){image_names.REGISTRY}/?", *_REGISTRY, empty=True)]
_NAMESPACE = ("a name in lower case", "'baker' or 'team/speech'")
Namespace = Annotated[str, _like(f"(?!.{{64}}){image_names.PATH}", *_NAMESPACE, empty=True)]
Tag = Annotated[str, _like(image_names.TAG, "a tag of at most 128 letters, digits, '_', '.' and '-'", "'latest'")]
_REPOSITORY = ("a repository without https:// and in lower case", "'registry.example.com/speech/cache'")
Repository = Annotated[str, _like(f"(?!.{{201}}){image_names.REPOSITORY}/?", *_REPOSITORY)]
OptionalRepository = Annotated[str, _like(f"(?!.{{201}}){image_names.REPOSITORY}/?", *_REPOSITORY, empty=True)]
Reference = Annotated[
    str,
    _like(
        f"{image_names.REPOSITORY}(?::{image_names.TAG})?(?:@{image_names.DIGEST})?",
        "an image reference",
        "'nvidia/cuda:12.8.1-base-ubuntu24.04@sha256:…'",
    ),
]
# No login before the host; braces are for "{snapshot}".
_URL = r"https?://[A-Za-z0-9.\[\]:-]+(?:/[A-Za-z0-9_.~!*'()@;:&=+,/?%{}-]*)?".replace("'", "")
Url = Annotated[str, _like(_URL, "an http or https URL", "'https://mirror.example.com/debian'", empty=True)]
Builders = Annotated[
    str,
    _like("[A-Za-z0-9_.-]+(?: *, *[A-Za-z0-9_.-]+)*", "the name of a builder", "'here' or 'here,there'", empty=True),
]

Crate = Annotated[str, _like("[A-Za-z][A-Za-z0-9_-]{0,63}", "the name of a crate", "'moshi-server'")]
Binary = Annotated[str, _like("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", "the name of a program", "'moshi-server'", empty=True)]
Feature = Annotated[str, _like("[A-Za-z0-9_][A-Za-z0-9_+./-]*", "a feature of a crate", "'cuda'")]
Library = Annotated[str, _like("[A-Za-z0-9_][A-Za-z0-9_.+-]*", "the name of a library", "'libcuda.so.1'")]
Module = Annotated[
    str, _like("[A-Za-z_][A-Za-z0-9_]*(?:[.][A-Za-z_][A-Za-z0-9_]*)*", "a Python module", "'moshi.models'")
]
# https://packaging.python.org/en/latest/specifications/name-normalization/
Distribution = Annotated[str, _like("[a-z0-9]+(?:-[a-z0-9]+)*", "the normalised name of a Python package", "'sphn'")]
Group = Annotated[str, _like("[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", "a dependency group", "'cuda'")]
# https://www.debian.org/doc/debian-policy/ch-controlfields.html#source
Package = Annotated[str, _like("[a-z0-9][a-z0-9+.-]+", "the name of a Debian package", "'g++' or 'libsndfile1'")]
# https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/
Licenses = Annotated[str, _like("[A-Za-z0-9.+() -]+", "an SPDX expression", "'MIT AND Apache-2.0'", empty=True)]
EnvName = Annotated[str, _like("[A-Za-z_][A-Za-z0-9_]*", "the name of a variable", "'HF_HOME'")]
Mode = Annotated[str, _like("0?[0-7]{3}", "the mode of a file", "'0755'", empty=True)]

_FOLDERS = ("a path below site-packages", "'nvidia/cublas/lib'")
Inside = Annotated[str, _like(f"{_NO_DOTS}{_PART}(?:/{_PART})*", *_FOLDERS)]
Libraries = Annotated[
    str,
    _like(
        f"{_NO_DOTS}{_PART}(?:/{_PART})*[*]?",
        "a path below site-packages",
        "'nvidia/cublas/lib' or 'nvidia/cu13/lib/libcublas*'",
    ),
]
OptionalInside = Annotated[
    str, _like(f"{_NO_DOTS}{_PART}(?:/{_PART})*", "a path below the top", "'rust/moshi-server'", empty=True)
]
Pattern = Annotated[str, _like(f"{_NO_DOTS}[A-Za-z0-9_.+@*?!/\\[\\]-]+", "a pattern of paths", "'nvidia/*.a' or '*.a'")]
_ABSOLUTE = ("an absolute path of letters, digits and '_.+@-'", "'/app'")
Absolute = Annotated[str, _like(f"{_NO_DOTS}(?:/{_PART})+/?", *_ABSOLUTE)]
OptionalAbsolute = Annotated[str, _like(f"{_NO_DOTS}(?:/{_PART})+", *_ABSOLUTE, empty=True)]
Port = Annotated[int, Meta(ge=0, le=65535, extra={"noun": "a port from 1 to 65535"})]
Seconds = Annotated[int, Meta(ge=1, le=86400, extra={"noun": "a number of seconds, at most a day"})]
Tries = Annotated[int, Meta(ge=0, le=100, extra={"noun": "a number from 0 to 100"})]
Bytes = Annotated[Size, Meta(extra={"noun": "a size", "like": "'1.35 GB'"})]

Sha256 = Annotated[str, _like("[0-9a-f]{64}", "a sha256 of 64 hexadecimal digits")]
Version = Annotated[str, _like("[0-9A-Za-z][0-9A-Za-z.+!_-]*", "a version", "'1.2.3'")]
OptionalVersion = Annotated[str, _like("[0-9A-Za-z][0-9A-Za-z.+!_-]*", "a version", "'1.2.3'", empty=True)]
OptionalCommit = Annotated[str, _like("[0-9a-f]{40}", "a whole commit of 40 hexadecimal digits", empty=True)]
MinorVersion = Annotated[str, _like("[0-9]+[.][0-9]+(?:[.][0-9]+)*", "a version", "'3.13'")]
OptionalRust = Annotated[str, _like("[0-9]+[.][0-9]+(?:[.][0-9]+)?", "a version of Rust", "'1.88'", empty=True)]
Suite = Annotated[str, _like("[a-z][a-z0-9.-]*", "a suite of Debian", "'trixie'")]
Snapshot = Annotated[str, _like("[0-9]{8}T[0-9]{6}Z", "a time of Debian's archive", "'20261123T020933Z'", empty=True)]
