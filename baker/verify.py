"""Verifying an image, a built one before it gets its tags: does it hold together, and is it what was asked for?

docs/verify.md lists the checks.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from baker import checks, containers, engine, expected, leaks
from baker.checks import Check, inside, said
from baker.errors import CommandError, EngineError, VerifyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from baker.expected import Expected
    from baker.plan import ImagePlan

__all__ = ["Check", "check", "check_image", "foundation", "present", "require", "said", "wanted"]

MEGABYTE = 10**6
# What decides whether an image passes.
MODULES = ("checks", "contents", "embedded", "expected", "layers", "leaks", "serving", "verify")


def _silent(text: str) -> None:
    """Take a note that nobody wants to hear."""


def foundation(reference: str, planned: ImagePlan) -> str:
    """Return a digest of the layers under the project's own files (venv, libraries, binary) and of what is checked."""
    image = engine.image(reference)
    own = sum(1 for copy in planned.copies if not copy.stage) + 1  # and WORKDIR
    if planned.builder:
        return ""
    return _digest([wanted(planned), *image.layers[:-own]]) if image else ""


def wanted(planned: ImagePlan) -> str:
    """Return a digest of what is checked of an image: an image that passed less has to be looked at again."""
    files = [*sorted(checks.SCRIPTS.iterdir()), *(Path(__file__).with_name(f"{name}.py") for name in MODULES)]
    return _digest([repr(expected.by_plan(planned)), *(file.read_text(encoding="utf-8") for file in files)])


def _digest(words: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


def check(
    reference: str,
    planned: ImagePlan,
    *,
    known: bool = False,
    fresh: bool = False,
    state: Path | None = None,
    say: Callable[[str], None] = _silent,
) -> tuple[Check, ...]:
    """Run every check on the local image of a plan and return them all.

    Args:
        reference: the image.
        planned: what it should be.
        known: whether an image on the same foundation has passed; what only looks at that is then not run again.
        fresh: whether it was built from this plan just now, so that the plan says what its layers are.
        state: a folder that remembers which layers have been read.
        say: is told what takes longer.

    Raises:
        VerifyError: there is no such image.
    """
    want = expected.by_plan(planned)
    image = engine.image(reference)
    if image is None:
        raise VerifyError(f"there is no image {reference} here: run `baker build {planned.name}`")
    return _check(reference, image, want, known=known, last=want.last if fresh else (), state=state, say=say)


def check_image(reference: str, state: Path | None = None, say: Callable[[str], None] = _silent) -> tuple[Check, ...]:
    """Run every check on an image that is here, by what its labels say it should be.

    Raises:
        VerifyError: there is no such image.
    """
    image = engine.image(reference)
    if image is None:
        raise VerifyError(f"there is no image {reference} here")
    return _check(reference, image, expected.by_labels(image), known=False, last=(), state=state, say=say)


@contextmanager
def present(reference: str) -> Iterator[None]:
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
    reference: str,
    image: engine.LocalImage,
    want: Expected,
    *,
    known: bool,
    last: Sequence[str],
    state: Path | None,
    say: Callable[[str], None],
) -> tuple[Check, ...]:
    # A build with nothing to do has no use for them.
    from baker import contents, embedded, layers, serving  # noqa: PLC0415

    found = [
        *_settings(reference, image, want),
        *layers.check(reference, image, state, say, last),
        *contents.check(reference, want, libraries=not known),
    ]
    if not known:
        starts = inside(reference, "starts", (want.binary,))
        found.append(starts)
        if starts.passed and not want.port and not want.health:
            found = [_helps(reference, item) if item.name == "entrypoint" else item for item in found]
        if want.imports and want.embeds_python:
            found.append(embedded.check(reference, want))
        elif want.imports:
            found.append(inside(reference, "imports", want.imports))
        if want.imports and "g++" in want.packages:
            found.append(inside(reference, "compiles", ("g++",)))
        found += serving.check(reference, image, want)
    return tuple(found)


def _helps(reference: str, entrypoint: Check) -> Check:
    """See that the entrypoint of what is no server runs: it prints its help."""
    if not entrypoint.passed:
        return entrypoint
    try:
        containers.run_once(reference, ["--help"], **checks.HARDENED)
    except (CommandError, EngineError) as error:
        return replace(entrypoint, passed=False, detail=f"{entrypoint.detail} --help: {checks.why(error)}")
    return entrypoint


def _settings(reference: str, image: engine.LocalImage, want: Expected) -> tuple[Check, ...]:
    """Look at what an image says of itself: user, entrypoint, labels, size, and no secret among its settings."""
    config = image.config
    user, entry = str(config.get("User") or "root"), tuple(config.get("Entrypoint") or ())
    wrong = [
        f"{key}={image.labels.get(key)!r}"
        for key, value in want.labels
        if key not in image.labels or value not in (None, image.labels[key])
    ]
    size = engine.uncompressed_size(reference)
    settings = [*(config.get("Env") or ()), *(f"{key}={value}" for key, value in image.labels.items())]
    told = [text for text in (*settings, *engine.history(reference)) if leaks.in_setting(text)]
    names = ", ".join(text.split("=")[0][:60] for text in told)
    budget = f"budget {want.budget / MEGABYTE:.0f} MB" if want.budget else "no budget"
    return (
        Check(name="user", passed=user.split(":", maxsplit=1)[0] not in ("", "0", "root"), detail=f"runs as {user}"),
        Check(
            name="entrypoint",
            passed=bool(entry) and want.entrypoint in (None, entry),
            detail=" ".join(entry) or "there is none",
        ),
        Check(name="labels", passed=not wrong, detail=", ".join(wrong) or f"{len(want.labels)} as they should be"),
        Check(name="settings", passed=not told, detail=f"looks like a secret: {names}" if told else "no secret"),
        Check(name="size", passed=not want.budget or size <= want.budget, detail=f"{size / MEGABYTE:.0f} MB, {budget}"),
    )
