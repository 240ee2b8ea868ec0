"""Has a uv.lock a wheel of everything for a platform? What has none takes a stage that compiles it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker.config import lockfile
from baker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from baker.config.lockfile import Dependency, Package, Wheel
    from baker.config.platforms import Platform

ANY = "-any.whl"


@dataclass(frozen=True, order=True)
class Missing:
    """A package of a lock without a wheel for a platform, and its sdist: empty where the lock has none."""

    name: str
    version: str
    url: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def missing(
    project: Path, groups: Sequence[str], python: str, platform: Platform, *, whole: bool
) -> tuple[Missing, ...]:
    """Return what is installed and has no wheel for a platform, sorted by name.

    Args:
        project: the folder of pyproject.toml and uv.lock.
        groups: the dependency groups that are installed.
        python: the interpreter's X.Y.
        platform: the platform.
        whole: whether the project's own dependencies are installed too.

    Raises:
        LockError: the lock is broken.
    """
    path = project / "uv.lock"
    packages = lockfile.packages(path.read_bytes(), str(path))
    return tuple(
        sorted(
            {
                Missing(package.name, package.version, package.sdist.url, package.sdist.hash.removeprefix("sha256:"))
                for package in _installed(packages, groups, python, platform, whole=whole)
                # One without any wheel is not made for a platform.
                if package.wheels and not any(_fits(wheel, platform) for wheel in package.wheels)
            }
        )
    )


def require(lacks: Sequence[Missing], project: Path, platform: Platform, hint: str = "") -> None:
    """Check that nothing is left that has no wheel for a platform and that nothing compiles.

    Args:
        lacks: what is left.
        project: the folder of the lock.
        platform: the platform.
        hint: another way out.

    Raises:
        UsageError: something is left.
    """
    if lacks:
        raise UsageError(
            f"{project / 'uv.lock'} has no wheel for {platform.name} of {', '.join(map(str, lacks))}, and no image has "
            f"a compiler for it: build the services that do not need it, or those for another platform{hint}"
        )


def _fits(wheel: Wheel, platform: Platform) -> bool:
    return wheel.url.endswith((f"_{platform.machine}.whl", ANY))


def _installed(
    packages: Sequence[Package], groups: Sequence[str], python: str, platform: Platform, *, whole: bool
) -> Iterator[Package]:
    """Yield what uv would install, by the markers of each dependency."""
    from packaging.markers import Marker  # noqa: PLC0415 - slow to import

    environment = {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": platform.machine,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
        "extra": "",
    }
    root = next((package for package in packages if package.source.virtual or package.source.editable), None)
    if root is None:
        return
    queue = [item for group in groups for item in root.dev_dependencies.get(group, ())]
    queue += root.dependencies if whole else ()
    seen: set[Dependency] = set()
    while queue:
        wanted = queue.pop()
        if wanted in seen or (wanted.marker and not Marker(wanted.marker).evaluate(environment)):
            continue
        seen.add(wanted)
        for package in packages:
            if package.name == wanted.name and wanted.version in ("", package.version):
                yield package
                queue += package.dependencies
                queue += [item for extra in wanted.extra for item in package.optional_dependencies.get(extra, ())]
