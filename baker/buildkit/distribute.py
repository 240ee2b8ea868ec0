"""Shares: which builder makes what. Several builders work at once, and have a registry cache in common."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

from baker.errors import InterruptedBuildError
from baker.system import process

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from baker.system.process import Process


@dataclass(frozen=True, kw_only=True)
class Share:
    """What one builder makes in one call of bake. An empty `builder` is the current one."""

    builder: str
    images: tuple[str, ...]
    binaries: tuple[str, ...]


def deal(builders: Sequence[str], images: Sequence[str], binaries: Sequence[str]) -> tuple[tuple[Share, ...], ...]:
    """Deal targets out to builders, in turn; return rounds, one after the other, of shares to be made at once.

    Args:
        builders: buildx's builders; none means the current one.
        images: the targets that become images.
        binaries: those that are built for the registry cache. One builder makes all in one call; several compile
            first, each its own, and find what the others have compiled in the cache.
    """
    if len(builders) <= 1:
        return ((Share(builder="".join(builders), images=tuple(images), binaries=tuple(binaries)),),)
    compiles = [Share(builder=name, images=(), binaries=part) for name, part in _hands(builders, binaries)]
    baked = [Share(builder=name, images=part, binaries=()) for name, part in _hands(builders, images)]
    return tuple(tuple(shares) for shares in (compiles, baked) if shares)


def of(builders: Sequence[str], images: Sequence[str]) -> dict[str, str]:
    """Return the builder of each image."""
    shares = deal(builders, images, ())[-1]
    return {image: share.builder for share in shares for image in share.images}


def make(shares: Sequence[Share], one: Callable[[Share, Callable[[Process], None]], None]) -> None:
    """Make the shares of a round, all at once; when one fails or Ctrl-C comes, the others are ended.

    Args:
        shares: what is to be made.
        one: makes a share, and hands over the process that it starts.
    """
    if len(shares) == 1:
        one(shares[0], lambda _: None)
        return
    running: list[Process] = []
    over = threading.Event()

    def started(child: Process) -> None:
        running.append(child)
        if over.is_set():
            raise InterruptedBuildError("another builder has failed")

    with ThreadPoolExecutor(len(shares)) as pool:
        try:
            for job in as_completed([pool.submit(one, share, started) for share in shares]):
                job.result()
        finally:
            over.set()
            for child in tuple(running):
                process.end(child)


def _hands(builders: Sequence[str], targets: Sequence[str]) -> Sequence[tuple[str, tuple[str, ...]]]:
    dealt = tuple(zip(targets, cycle(builders), strict=False))
    parts = ((name, tuple(target for target, builder in dealt if builder == name)) for name in builders)
    return [(name, part) for name, part in parts if part]
