"""Are the images that are here the ones that a build would make? Answered without BuildKit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baker.build import prepare, receipt
from baker.config import platforms
from baker.dockerfile import bakefile
from baker.errors import LockError
from baker.verify.rules import rules

if TYPE_CHECKING:
    from baker.build.prepare import Prepared
    from baker.build.receipt import Receipt
    from baker.build.request import Request
    from baker.engine.interface import Engine


def as_before(request: Request) -> Prepared | None:
    """Prepare a build for the base and the builder of the last one; None where there was none, or it cannot be done.

    Where that base is still wanted, another answer of a registry changes nothing.
    """
    done = _receipts(request)
    kinds = {(item.base, item.link, item.platform, item.built_on, item.local) for item in done}
    if len(kinds) != 1 or request.settings.base not in ("auto", done[0].base):
        return None
    try:
        on, local = platforms.find(done[0].built_on), platforms.find(done[0].local)
        chosen = prepare.choice(request, done[0].base, link=done[0].link, build_platform=on, local=local)
        return prepare.make(request, chosen)
    except LockError:
        # The build looks closer, and says what is wrong with the lock.
        return None


def unchanged(engine: Engine, prepared: Prepared) -> tuple[Receipt, ...]:
    """Return the receipts of the images when nothing has changed since they were built; else nothing.

    An image that was removed, or whose tag was moved, is not the one of the receipt.
    """
    request, done = prepared.request, _receipts(prepared.request)
    if not done:
        return ()
    wanted: dict[str, str] = {}
    for image, item in zip(prepared.plan.services, done, strict=True):
        made = (item.inputs, item.export, item.checks)
        if made != (prepared.inputs(image), export(request), rules(image.requirements)):
            return ()
        wanted |= dict.fromkeys(bakefile.names(prepared.plan, request.settings, image.name), item.digest)
    return tuple(done) if engine.ids(tuple(wanted)) == tuple(wanted.values()) else ()


def export(request: Request) -> str:
    """Return what is asked of the image store, beside what the Dockerfile says."""
    return request.settings.compression + ("" if request.epoch is None else f" epoch {request.epoch}")


def _receipts(request: Request) -> tuple[Receipt, ...]:
    """Return the receipts of the last build; none when one is missing."""
    found = [receipt.read(target, request.receipts) for target in request.targets]
    done = tuple(item for item in found if item is not None)
    return done if len(done) == len(found) else ()
