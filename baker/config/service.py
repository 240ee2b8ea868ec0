"""What a user bakes: a service, read from its folder's service.toml, whose tables and keys are declared here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, get_args

import msgspec

from baker.config import inherit, model, values
from baker.config.model import Table, about
from baker.config.toolkit import Toolkit
from baker.errors import UsageError

ACCELS: tuple[str, ...] = get_args(values.Accel)
BASES = ("nvidia", "debian")
# At most a part of an image's name: see values.Registry.
NAME = re.compile(r"(?!.{64})[a-z0-9]+([-_][a-z0-9]+)*")
# The other stages of a Dockerfile, and the targets of a bake file.
STAGES = re.compile(
    r"(root|python|toolchain|toolkit|devel|default|runtime)(-.*)?|(crate|binary|venv|libraries|tool|environment)-.*|.*-builder"
)


class Crate(Table, frozen=True, kw_only=True):
    """The crate whose binary the service runs. `features` and `links` are by accel. See docs/crates.md."""

    name: Annotated[values.Crate, about("The name on crates.io, or of the package in `git` or `path`.")]
    version: Annotated[
        values.OptionalVersion, about("The version on crates.io; else the newest when it was locked.")
    ] = ""
    git: Annotated[values.Url, about("A git repository to take the crate from, with `commit`.")] = ""
    commit: Annotated[values.OptionalCommit, about("The whole hash of the commit.")] = ""
    path: Annotated[Path | None, about("A folder beside service.toml to take the crate from.")] = None
    folder: Annotated[values.OptionalInside, about("Where the package lies in `git` or `path`, if not at the top.")] = (
        ""
    )
    lock: Annotated[Path | None, about("A Cargo.lock beside service.toml in place of the crate's own.")] = None
    patches: Annotated[
        tuple[Path, ...],
        about(
            "Patches beside service.toml, applied in this order at the top of what was fetched, as `patch -p1` does."
        ),
    ] = ()
    binary: Annotated[values.Binary, about("The binary to run; else the one that is called like the crate.")] = ""
    features: Annotated[
        dict[values.AccelKey, tuple[values.Feature, ...]], about("The features that are compiled in, by accel.")
    ] = msgspec.field(default_factory=dict)
    links: Annotated[
        dict[values.AccelKey, tuple[values.Library, ...]], about("The libraries that the binary must link, by accel.")
    ] = msgspec.field(default_factory=dict)
    build_packages: Annotated[
        dict[values.BaseKey, tuple[values.Package, ...]], about("Packages of the crate's compile, by base.")
    ] = msgspec.field(default_factory=dict)
    rust: Annotated[
        values.OptionalRust,
        about("The Rust that it wants at least, where a dependency wants a newer one than its release says."),
    ] = ""
    ptx: Annotated[
        bool, about("Whether the CUDA binary holds PTX for its capability, which `baker verify` then looks for.")
    ] = False
    embeds_python: Annotated[bool, about("Whether the binary embeds Python; then [python] is needed.")] = False

    @property
    def own(self) -> bool:
        """Whether it is anything else than a release of crates.io as it is."""
        return bool(self.git or self.path or self.lock or self.patches)

    def __post_init__(self) -> None:
        if not self.binary:
            msgspec.structs.force_setattr(self, "binary", self.name)
        for accel in ACCELS:
            self.features.setdefault(accel, ())
            self.links.setdefault(accel, ())
        for base in BASES:
            self.build_packages.setdefault(base, ())


class Python(Table, frozen=True, kw_only=True):
    """A uv project with its lock, and what of it the image gets."""

    project: Annotated[Path, about("The folder of pyproject.toml and uv.lock.")]
    venv: Annotated[bool, about("Whether the image has the whole environment, or only the libraries.")] = False
    imports: Annotated[
        tuple[values.Module, ...], about("Modules that must import in the image; `ssl` is always tried.")
    ] = ()
    groups: Annotated[
        tuple[values.Group, ...],
        about("Dependency groups of the environment besides the project's own dependencies."),
    ] = ()
    extensions: Annotated[
        tuple[values.Distribution, ...],
        about(
            "Packages of the environment that are written in Rust: where a platform has no wheel of one, its sdist is "
            "compiled with maturin, from the Cargo.lock in it."
        ),
    ] = ()
    libraries: Annotated[
        tuple[values.Libraries, ...],
        about(
            "What the CUDA binary links, a layer each: shared libraries of a folder of site-packages, or some of them."
        ),
    ] = ()
    libraries_group: Annotated[values.Group, about("The dependency group that holds them.")] = "libraries"
    unused: Annotated[
        tuple[values.Pattern, ...], about('Patterns of files in site-packages that are left out; "*" matches "/" too.')
    ] = ()
    layers: Annotated[
        tuple[tuple[values.Inside, ...], ...],
        about("Folders of site-packages that become image layers, in this order; the rest comes last."),
    ] = ()


class File(Table, frozen=True, kw_only=True):
    """A file or folder that is copied into the image."""

    source: Annotated[Path, about("The file or folder, beside service.toml.")] = msgspec.field(name="from")
    target: Annotated[values.Absolute, about("The path in the image.")] = msgspec.field(name="to")
    mode: Annotated[values.Mode, about("The mode, as in 0755; else the file's own.")] = ""


class Image(Table, frozen=True, kw_only=True):
    """How the image runs."""

    command: Annotated[tuple[str, ...], about("The arguments of the binary, which `docker run` may replace.")] = ()
    start: Annotated[
        values.OptionalAbsolute,
        about("A script in the image that gets the command's arguments; empty starts the binary itself."),
    ] = ""
    workdir: Annotated[values.Absolute, about("The working directory, and HOME.")] = "/app"
    port: Annotated[values.Port, about("The port that the server listens on; 0 is none.")] = 0
    mounts: Annotated[tuple[values.Absolute, ...], about("Folders that outlive a container.")] = ()
    folders: Annotated[tuple[values.Absolute, ...], about("Folders that the image has besides.")] = ()
    env: Annotated[dict[values.EnvName, str], about("Variables, taken as they are written.")] = msgspec.field(
        default_factory=dict
    )
    files: Annotated[
        tuple[File, ...], about("What is copied into the image; the files of an inherited table come first.")
    ] = ()
    page: Annotated[
        File | None,
        about("The folder of the web page that the server serves; `page = false` in baker.toml leaves it out."),
    ] = None
    tools: Annotated[
        tuple[Path, ...], about("Cargo projects beside service.toml whose binary goes to /opt/baker/bin.")
    ] = ()
    health: Annotated[tuple[str, ...], about("The command of the health check.")] = ()
    packages: Annotated[
        dict[values.BaseKey, tuple[values.Package, ...]], about("Packages of the distribution, by base.")
    ] = msgspec.field(default_factory=dict)
    budget: Annotated[
        values.Bytes, about('The largest size that `baker verify` lets pass, as in "1.35 GB"; none is no limit.')
    ] = msgspec.field(default_factory=values.Size)

    def __post_init__(self) -> None:
        for base in BASES:
            self.packages.setdefault(base, ())


class Allowed(Table, frozen=True, kw_only=True):
    """What verify lets pass: patterns of paths in the image, as in "*/lib/libx_*"; "*" matches "/" too."""

    unresolved: Annotated[
        tuple[str, ...], about("Libraries and programs that need libraries which are not there.")
    ] = ()
    duplicates: Annotated[tuple[str, ...], about("Large files that are there more than once.")] = ()


class ServiceToml(Table, frozen=True, kw_only=True):
    """service.toml: a service. A folder below services/ with this file is one; its name is the image's."""

    inherits: Annotated[
        str,
        about(
            "A file of the same kind, beside this one, whose values count where this one has none; tables are merged, "
            "[[image.files]] are joined."
        ),
    ] = ""
    title: Annotated[str, about("The title in the image's labels; else the folder's name.")] = ""
    description: Annotated[str, about("The description in the image's labels, one line.")] = ""
    licenses: Annotated[
        values.Licenses, about("The licenses of what is in the image, as an SPDX expression, for its labels.")
    ] = ""
    crate: Crate
    python: Python | None = None
    image: Image = msgspec.field(default_factory=Image)
    verify: Allowed = Allowed()
    toolkits: Annotated[
        dict[values.MinorVersion, Toolkit], about('CUDA toolkits from wheels, by their release, as in "13.0".')
    ] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.crate.embeds_python and self.python is None:
            raise ValueError("[crate] embeds-python needs a [python] table with the project to embed")
        if sum(bool(source) for source in (self.crate.version, self.crate.git, self.crate.path)) > 1:
            raise ValueError("[crate] takes one of version, git and path: they say where the crate comes from")
        if bool(self.crate.git) != bool(self.crate.commit):
            raise ValueError("[crate] git and commit go together: a branch would be another crate tomorrow")
        if self.crate.folder and not (self.crate.git or self.crate.path):
            raise ValueError("[crate] folder is a place in git or path: a crate of crates.io lies at the top")


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service: a folder with a service.toml.

    `cuda` is the release of the toolkit of wheels that it is compiled with, one of `toolkits`; empty is the base's own.
    """

    name: str
    folder: Path
    title: str
    description: str
    licenses: str
    crate: Crate
    python: Python | None
    image: Image
    allowed: Allowed
    toolkits: dict[str, Toolkit] = field(default_factory=dict)
    cuda: str = ""

    @property
    def imports(self) -> tuple[str, ...]:
        """The modules that the image must be able to import; none where it has no environment."""
        return ("ssl", *self.python.imports) if self.python and self.python.venv else ()


def load(folder: Path) -> Service:
    """Read a service from its folder.

    Raises:
        UsageError: service.toml is missing or wrong; the message names file, table and key.
    """
    if not NAME.fullmatch(folder.name):
        raise UsageError(
            f"{folder}: a service's folder has a name of at most 63 characters: lower case, digits, and single '-' and "
            "'_' between them, as the image's name has"
        )
    if STAGES.fullmatch(folder.name):
        raise UsageError(
            f"{folder}: a service cannot be called {folder.name!r}, since stages of the Dockerfile are called like "
            "that: rename the folder"
        )
    path = folder / "service.toml"
    try:
        found = model.read(ServiceToml, inherit.read(path, ServiceToml), str(path))
    except RecursionError:
        raise UsageError(f"{path}: arrays or tables are nested too deeply") from None
    return Service(
        name=folder.name,
        folder=folder,
        title=found.title or folder.name,
        description=found.description,
        licenses=found.licenses,
        crate=found.crate,
        python=found.python,
        image=found.image,
        allowed=found.verify,
        toolkits=found.toolkits,
    )
