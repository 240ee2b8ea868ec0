"""Are the images that are here the ones that a build would make? Answered without BuildKit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baker import bakefile, engine, prepare, receipt, verify
from baker.errors import LockError

if TYPE_CHECKING:
    from baker.prepare import Request
    from baker.receipt import Receipt


def receipts(request: Request) -> tuple[Receipt, ...]:
    """Return the receipts of the images when nothing has changed since they were built; else nothing.

    The base is the one they were built on: where that is still wanted, another registry's answer changes nothing.
    An image that was removed, or whose tag was moved, is not the one of the receipt.
    """
    found = [receipt.read(target, request.receipts) for target in request.targets]
    done = [item for item in found if item is not None]
    if len(done) != len(found) or len({(item.base, item.link) for item in done}) != 1:
        return ()
    base, link = done[0].base, done[0].link
    if request.settings.base not in ("auto", base):
        return ()
    try:
        prepared = prepare.prepare(request, prepare.choice(request, base, link=link), again=True)
    except LockError:
        # The build looks closer, and says what is wrong with the lock.
        return ()
    wanted: dict[str, str] = {}
    for image, item in zip(prepared.plan.services, done, strict=True):
        made = (item.inputs, item.export, item.checks)
        if made != (prepared.inputs(image), export(request), verify.wanted(image)):
            return ()
        wanted |= dict.fromkeys(bakefile.names(prepared.plan, request.settings, image.name), item.digest)
    return tuple(done) if engine.ids(tuple(wanted)) == tuple(wanted.values()) else ()


def export(request: Request) -> str:
    """Return what is asked of the image store, beside what the Dockerfile says."""
    return request.settings.compression + ("" if request.epoch is None else f" epoch {request.epoch}")
