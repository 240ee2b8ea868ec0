"""The proxies that the steps of a build use: those of the environment that baker was started in."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

# BuildKit knows these build arguments by itself: they are in no layer, and no step runs again when they change
# (https://docs.docker.com/reference/dockerfile/#predefined-args).
NAMES = ("ALL_PROXY", "FTP_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")


def arguments(environment: Mapping[str, str], *, told: bool = False) -> tuple[str, ...]:
    """Return the names of the build arguments to hand in; buildx takes the values from its environment.

    A value may have a password in it, which the arguments of a process would show to everybody.

    Args:
        environment: the environment that buildx gets.
        told: whether the image's provenance lists the build's arguments. Then a proxy with a login is left out: a
            published image was built before, so that nothing has to be downloaded for it.
    """
    names = (name for upper in NAMES for name in (upper, upper.lower()) if environment.get(name))
    return tuple(name for name in names if not (told and _has_login(environment[name])))


def options(environment: Mapping[str, str], *, told: bool = False) -> tuple[str, ...]:
    """Return the same as settings of bake, for all targets."""
    return tuple(f"*.args.{name}" for name in arguments(environment, told=told))


def _has_login(value: str) -> bool:
    return "@" in urlsplit(value if "://" in value else f"//{value}").netloc
