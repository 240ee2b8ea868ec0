"""Verifying an image, a built one before it gets its tags: does it hold together, and is it what was asked for?

docs/verify.md lists the checks.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from baker.config import platforms
from baker.dockerfile import requirements
from baker.engine import containers
from baker.errors import CommandError, EngineError, VerifyError
from baker.system import emulation, userfolder
from baker.system.aside import aside
from baker.system.units import MEGABYTE
from baker.verify import checks, secret_patterns
from baker.verify.checks import Check, inside
from baker.verify.rules import rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from baker.config.platforms import Platform
    from baker.dockerfile.plan import ImagePlan
    from baker.dockerfile.requirements import Requirements
    from baker.dockerfile.top_layers import TopLayer
    from baker.engine.interface import Engine, LocalImage

# How much longer an emulated server may take to start.
EMULATED = 5


def foundation(image: LocalImage, planned: ImagePlan, top: Sequence[TopLayer]) -> str:
    """Return a digest of the layers under the project's own files (venv, libraries, binary) and of what is checked.

    Args:
        image: an image that was built from a plan.
        planned: the plan.
        top: its last layers, as the Dockerfile says; empty where that is not known, and then the digest is empty too.
    """
    own = sum(1 for layer in top if layer.own)
    below = image.layers[: len(image.layers) - own]
    return hashlib.sha256("\0".join([rules(planned.requirements), *below]).encode()).hexdigest() if own else ""


def check_built(
    engine: Engine,
    image: LocalImage,
    planned: ImagePlan,
    top: Sequence[TopLayer] = (),
    *,
    known: bool = False,
    say: Callable[[str], None],
) -> tuple[Check, ...]:
    """Run every check on an image and return them all.

    Args:
        engine: where it is.
        image: the image, which is asked for by its id: a tag may move meanwhile.
        planned: what it must be.
        top: its last layers, when it was built from this plan just now.
        known: whether an image on the same foundation has passed; what only looks at that is then not run again.
        say: is told what takes longer.
    """
    return _check(engine, image, planned.requirements, top, known=known, say=say)


def check_image(engine: Engine, reference: str, *, say: Callable[[str], None]) -> tuple[Check, ...]:
    """Run every check on an image that is here, by what its labels say it must be.

    Raises:
        VerifyError: there is no such image.
    """
    image = require_image(engine, reference, "")
    return _check(engine, image, requirements.from_labels(image.labels, image.config), known=False, say=say)


def read_ahead(engine: Engine, reference: str) -> None:
    """Read the layers of an image that is here, for the check of another one that is made from it."""
    from baker.verify import layers  # noqa: PLC0415 - as in _check

    image, folder = engine.image(reference), userfolder.cache(engine.environment)
    if image is not None and folder is not None:
        layers.check(engine, image, folder=folder, say=lambda _: None)


def require_image(engine: Engine, reference: str, hint: str) -> LocalImage:
    """Return a local image, or raise VerifyError with the hint of how to get it."""
    image = engine.image(reference)
    if image is None:
        raise VerifyError(f"there is no image {reference} here{hint and f': {hint}'}")
    return image


@contextmanager
def present(engine: Engine, reference: str) -> Iterator[None]:
    """Have an image here while the block lasts: one that is not is pulled, and removed at the end.

    Raises:
        NetworkError: there is no such image in its registry, or that cannot be reached.
    """
    if engine.image(reference) is not None:
        yield
        return
    try:
        engine.pull(reference)
        yield
    finally:
        engine.remove(reference)


def require(reference: str, found: tuple[Check, ...]) -> None:
    """Raise VerifyError when a check has failed; it names each one that did."""
    failed = [item for item in found if not item.passed]
    if failed:
        lines = "\n".join(f"  {item.name}: {item.detail}" for item in failed)
        raise VerifyError(f"{reference} is not what it should be:\n{lines}")


def _check(
    engine: Engine,
    image: LocalImage,
    want: Requirements,
    top: Sequence[TopLayer] = (),
    *,
    known: bool,
    say: Callable[[str], None],
) -> tuple[Check, ...]:
    # A build with nothing to do has no use for them.
    from baker.verify import filesystem, interpreter, layers, ptx, server  # noqa: PLC0415

    foreign = _foreign(engine, image)
    settings = _settings(engine, image, want)
    # The engine gives out layers slowly: everything else is looked at meanwhile.
    reading = aside(partial(layers.check, engine, image, top, folder=userfolder.cache(engine.environment), say=say))
    found = list(filesystem.check(engine, image.id, want, libraries=not known, foreign=foreign))
    if not known:
        starts = inside(engine, image.id, "starts", (want.binary,))
        found.append(starts)
        if starts.passed and not want.port and not want.health:
            settings = tuple(_helps(engine, image.id, item) if item.name == "entrypoint" else item for item in settings)
        if want.ptx:
            found.append(ptx.check(engine, image.id, want))
        if want.imports and want.embeds_python:
            found.append(interpreter.check(engine, image.id, want))
        elif want.imports:
            found.append(inside(engine, image.id, "imports", want.imports))
        if want.imports and "g++" in want.packages:
            found.append(inside(engine, image.id, "compiles", ("g++",)))
        found += server.check(
            engine,
            image.id,
            image,
            want,
            seconds=server.START_SECONDS * (EMULATED if foreign else 1),
            environment=dict(foreign.emulated) if foreign else None,
        )
    return (*settings, *reading.result(), *found)


def _foreign(engine: Engine, image: LocalImage) -> Platform | None:
    """Return the platform of an image that the engine has to emulate; None for one of its own.

    Raises:
        EngineError: the engine cannot run it.
    """
    if image.platform in ("", platforms.of_machine(engine.describe().machine).name):
        return None
    found = platforms.find(image.platform)
    try:
        containers.run_once(engine, image.id, ["-c", ":"], entrypoint="/bin/bash", **checks.HARDENED)
    except (CommandError, EngineError) as error:
        raise EngineError(
            f"{image.name} is for {found.name}, and this engine cannot run it: {emulation.hint(found.architecture)}"
        ) from error
    return found


def _helps(engine: Engine, reference: str, entrypoint: Check) -> Check:
    """See that the entrypoint of what is no server runs: it prints its help."""
    if not entrypoint.passed:
        return entrypoint
    try:
        containers.run_once(engine, reference, ["--help"], **checks.HARDENED)
    except (CommandError, EngineError) as error:
        return replace(entrypoint, passed=False, detail=f"{entrypoint.detail} --help: {checks.why(error)}")
    return entrypoint


def _settings(engine: Engine, image: LocalImage, want: Requirements) -> tuple[Check, ...]:
    """Look at what an image says of itself: user, entrypoint, labels, size, and no secret among its settings."""
    config = image.config
    user, entry = str(config.get("User") or "root"), tuple(config.get("Entrypoint") or ())
    wrong = [
        f"{key}={image.labels.get(key)!r}"
        for key, value in want.labels
        if key not in image.labels or value not in (None, image.labels[key])
    ]
    size = engine.uncompressed_size(image.id)
    settings = [*(config.get("Env") or ()), *(f"{key}={value}" for key, value in image.labels.items())]
    told = [text for text in (*settings, *engine.history(image.id)) if secret_patterns.in_setting(text)]
    names = ", ".join(text.split("=")[0][:60] for text in told)
    # The toolchain of a builder has no budget.
    most = 0 if want.builder else want.budget
    budget = f"budget {most / MEGABYTE:.0f} MB" if most else "no budget"
    return (
        Check(name="user", passed=user.split(":", maxsplit=1)[0] not in ("", "0", "root"), detail=f"runs as {user}"),
        Check(
            name="entrypoint",
            passed=bool(entry) and want.entrypoint in (None, entry),
            detail=" ".join(entry) or "there is none",
        ),
        Check(name="labels", passed=not wrong, detail=", ".join(wrong) or f"{len(want.labels)} as they should be"),
        Check(name="settings", passed=not told, detail=f"looks like a secret: {names}" if told else "no secret"),
        Check(name="size", passed=not most or size <= most, detail=f"{size / MEGABYTE:.0f} MB, {budget}"),
    )
