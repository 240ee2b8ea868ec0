"""What baker reads of a uv.lock: https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from baker.config import model, toml
from baker.errors import LockError, UsageError

HINT = "run `baker lock`"


class Kebab(msgspec.Struct, frozen=True, rename="kebab"):
    """A table that others write: keys that we have no use for are not looked at."""


class Source(Kebab, frozen=True):
    """Where a package comes from; the project itself is virtual or editable."""

    virtual: str = ""
    editable: str = ""
    git: str = ""


class Dependency(Kebab, frozen=True):
    """What a package needs. `version` is there where the lock has several of the name."""

    name: str
    version: str = ""
    marker: str = ""
    extra: tuple[str, ...] = ()


class Requirement(Kebab, frozen=True):
    """A requirement of pyproject.toml, as it was when the lock was made."""

    name: str
    specifier: str = ""


class Metadata(Kebab, frozen=True):
    """The requirements of the project itself."""

    requires_dist: tuple[Requirement, ...] = ()
    requires_dev: dict[str, tuple[Requirement, ...]] = msgspec.field(default_factory=dict)


class Wheel(Kebab, frozen=True):
    """A wheel's address; its name is the address's last part."""

    url: str = ""


class Sdist(Kebab, frozen=True):
    """A source archive; `hash` is "sha256:" and hexadecimal digits."""

    url: str = ""
    hash: str = ""


class Package(Kebab, frozen=True):
    """A package, or the project itself."""

    name: str
    version: str = ""
    source: Source = Source()
    dependencies: tuple[Dependency, ...] = ()
    optional_dependencies: dict[str, tuple[Dependency, ...]] = msgspec.field(default_factory=dict)
    dev_dependencies: dict[str, tuple[Dependency, ...]] = msgspec.field(default_factory=dict)
    metadata: Metadata = Metadata()
    sdist: Sdist = Sdist()
    wheels: tuple[Wheel, ...] = ()


class _Lock(Kebab, frozen=True):
    package: tuple[Package, ...] = ()


# Several questions about the same lock, of thousands of lines, come in a row.
@lru_cache(maxsize=8)
def packages(content: bytes, where: str = "uv.lock") -> tuple[Package, ...]:
    """Return the packages of a uv.lock, or raise LockError where it is broken."""
    try:
        return model.read(_Lock, toml.parse(content, where), where, texts=False).package
    except UsageError as error:
        raise LockError(f"{where} is broken: {error}; take it from version control, or {HINT}") from error
