"""Builders: which one builds, what drives it, and what it is new enough for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker.buildkit import storage
from baker.config import platforms
from baker.errors import CommandError, EngineError, MissingProgramError
from baker.system import emulation, process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baker.config.platforms import Platform
    from baker.engine.interface import Engine, EngineInfo

BUILDX_HINT = (
    "install the buildx plugin: `sudo apt-get install docker-buildx` (Debian 13, Ubuntu), or `make setup` in a checkout"
)
# The driver of the builder that is part of the engine.
OWN = "docker"
# Podman's `docker` has a buildx that is buildah, which knows no bake; and its service has no BuildKit in it.
PODMAN = (
    "this is podman, which cannot build these images: install Docker's engine and buildx, or name a builder with "
    "BuildKit with --builder; podman runs the finished images, see docs/hosts.md"
)


@dataclass(frozen=True, kw_only=True)
class Since:
    """The first releases that know something: Docker's own builder, and BuildKit by itself."""

    docker: tuple[int, int]
    buildkit: tuple[int, int]


LINK = Since(docker=(23, 0), buildkit=(0, 10))
# The first that write a build's own time into layers, and OCI images with a provenance from Docker's own builder.
WRITES_OCI = Since(docker=(26, 0), buildkit=(0, 13))


@dataclass(frozen=True, kw_only=True)
class Builder:
    """A buildx builder.

    Attributes:
        name: what buildx calls it; empty is the current one.
        driver: as in "docker", the engine's own, or "docker-container".
        cache_id: tells its cache from other builders'.
        knows_link: whether it knows `COPY --link`.
        writes_oci: whether it writes OCI images, and one time into all that is in them.
        native: the platforms of its nodes' own processors.
        platforms: those and the ones that the nodes emulate, as in "linux/arm64".
        keeps: the bytes of cache that it keeps; 0 where it keeps all that the disk takes.
    """

    name: str
    driver: str
    cache_id: str
    knows_link: bool
    writes_oci: bool
    native: tuple[str, ...]
    platforms: tuple[str, ...]
    keeps: int = 0

    def compiles_on(self, platform: Platform) -> Platform:
        """Return the platform of the node that compiles for a platform: itself where there is such a node."""
        return platform if platform.name in self.native else platforms.find(self.native[0])


def require_buildx(engine: Engine) -> str:
    """Return buildx's version, or raise EngineError with how to get it."""
    process.find("docker", "see https://docs.docker.com/engine/install/", env=engine.environment)
    try:
        program, version = engine.command("buildx", "version").split()[:2]
    except (CommandError, ValueError) as error:
        raise EngineError(f"docker has no buildx: {BUILDX_HINT}") from error
    if "buildah" in program:
        raise EngineError(f"`docker buildx` is buildah here: {PODMAN}")
    return version.lstrip("v")


def inspect(engine: Engine, name: str) -> Builder:
    """Return what a builder is. One that is not running is started: only then it says what it is.

    Raises:
        EngineError: there is no such builder.
    """
    try:
        told = engine.command("buildx", "inspect", "--bootstrap", *named(name))
    except MissingProgramError:
        raise
    except CommandError as error:
        if "is too old. Minimum supported API version" in error.tail:
            raise EngineError(f"{error.tail.strip()}: update the docker command and its buildx") from error
        raise EngineError(f"no such builder: {error.tail}; `docker buildx ls` lists them") from error
    here = engine.describe()
    driver = re.search(r"^Driver:\s+(\S+)", told, re.MULTILINE)
    buildkit = re.search(r"^Build[Kk]it(?: version)?:\s+v?(\S+)", told, re.MULTILINE)
    own = driver is not None and driver[1] == OWN
    if own and here.podman:
        raise EngineError(PODMAN)
    nodes = [re.findall(r"[^\s,*]+", line) for line in re.findall(r"^Platforms:(.*)$", told, re.MULTILINE)]
    # A builder that does not say it is taken for one like the engine.
    nodes = [node for node in nodes if node] or [[platforms.of_machine(here.machine).name]]
    version = _numbers(here.version if own else buildkit[1] if buildkit else "")
    return Builder(
        name=name,
        driver=driver[1] if driver else "",
        cache_id=cache_id(name, here.id),
        knows_link=version >= (LINK.docker if own else LINK.buildkit),
        writes_oci=version >= (WRITES_OCI.docker if own else WRITES_OCI.buildkit),
        native=tuple(dict.fromkeys(node[0] for node in nodes)),
        platforms=tuple(dict.fromkeys(name for node in nodes for name in node)),
        keeps=storage.kept(told),
    )


def require_oci(builders: Sequence[Builder], here: EngineInfo, what: str) -> None:
    """Raise EngineError unless builders write OCI images and their times.

    Args:
        builders: those that build.
        here: the engine, whose store a builder of its own writes to.
        what: the option or the command that needs it.
    """
    for builder in builders:
        if not builder.writes_oci:
            raise EngineError(
                f"{what} needs Docker 26 or BuildKit 0.13, and this one is older: update it, or name another with "
                "--builder"
            )
        if builder.driver == OWN and not here.containerd_store:
            raise EngineError(
                f'{what} needs the containerd image store: put "features": {{"containerd-snapshotter": true}} into '
                "the engine's daemon.json and restart it, or name another builder with --builder"
            )


def require_platform(builders: Sequence[Builder], platform: Platform) -> None:
    """Raise EngineError unless builders can run what is built for a platform, by themselves or emulated."""
    for builder in builders:
        if platform.name not in builder.platforms:
            raise EngineError(
                f"the builder{builder.name and ' ' + builder.name} can run nothing of {platform.name}: "
                f"{emulation.hint(platform.architecture)}, or name a builder with such a node with --builder"
            )


def named(builder: str) -> list[str]:
    """Return the option that picks a builder; none for the current one."""
    return [f"--builder={builder}"] if builder else []


def cache_id(builder: str, engine_id: str) -> str:
    """Return what tells one builder's cache from another's."""
    return f"{builder or 'default'} {engine_id}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
