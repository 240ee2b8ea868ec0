"""Verifying a built image before it gets its tags: does it hold together, and is it what was asked for?"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from baker import engine, render
from baker.errors import CommandError, VerifyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baker.plan import ImagePlan

SCRIPTS = render.TEMPLATES / "verify"
MEGABYTE = 10**6
# A name that says what it is with a value to it, or a value that is known by its form.
SECRET = re.compile(
    r"(?i:token|password|passwd|secret|api_?key|credential)[A-Z_]*=[^\s$]"
    r"|hf_[A-Za-z0-9]{30,}|gh[pousr]_[A-Za-z0-9]{36}|glpat-[\w-]{20}|AKIA[0-9A-Z]{16}|://[^/\s:@]+:[^/\s:@]+@"
)


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check of one image. `detail` says what was found; it is what to read when `passed` is false."""

    name: str
    passed: bool
    detail: str


def foundation(reference: str, planned: ImagePlan) -> str:
    """Return a digest of the layers under the project's own files (venv, libraries, binary) and of what is checked."""
    image = engine.image(reference)
    own = sum(1 for copy in planned.copies if not copy.stage) + 1  # and WORKDIR
    if planned.builder:
        return ""
    return _digest([wanted(planned), *image.layers[:-own]]) if image else ""


def wanted(planned: ImagePlan) -> str:
    """Return a digest of what is checked of an image: an image that passed less has to be looked at again."""
    scripts = [file.read_text(encoding="utf-8") for file in sorted(Path(SCRIPTS).iterdir())]
    return _digest([*planned.imports, *planned.packages, str(planned.budget), *scripts])


def _digest(words: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


def check(reference: str, planned: ImagePlan, *, known: bool = False) -> tuple[Check, ...]:
    """Run every check on a local image and return them all.

    Args:
        reference: the image.
        planned: what it should be.
        known: whether an image on the same foundation has passed; what only looks at that is then not run again.

    Raises:
        VerifyError: there is no such image.
    """
    image = engine.image(reference)
    if image is None:
        raise VerifyError(f"there is no image {reference} here: run `baker build {planned.name}`")
    size = engine.uncompressed_size(reference)
    user = str(image.config.get("User") or "root")
    entry = list(image.config.get("Entrypoint") or ())
    wrong = [f"{key}={image.labels.get(key)!r}" for key, value in planned.labels if image.labels.get(key) != value]
    budget = f"{size / MEGABYTE:.0f} MB, budget {planned.budget / MEGABYTE:.0f} MB"
    checks = [
        Check(name="user", passed=user.split(":", maxsplit=1)[0] not in ("", "0", "root"), detail=f"runs as {user}"),
        Check(name="entrypoint", passed=entry == list(planned.entrypoint), detail=" ".join(entry)),
        Check(name="labels", passed=not wrong, detail=", ".join(wrong) or f"{len(planned.labels)} as planned"),
        in_settings(reference, image),
        Check(name="size", passed=not planned.budget or size <= planned.budget, detail=budget),
    ]
    checks.append(inside(reference, "secrets", (), user="0:0"))
    if not planned.builder:
        checks.append(inside(reference, "files", ()))
    if not known:
        checks += [inside(reference, "libraries", ()), inside(reference, "starts", (planned.crate.binary,))]
        if planned.imports:
            compiler = ("g++",) if "g++" in planned.packages else ()
            checks.append(inside(reference, "venv", (" ".join(planned.imports), *compiler)))
    return tuple(checks)


def in_settings(reference: str, image: engine.LocalImage) -> Check:
    """Look for tokens and passwords in an image's environment, labels and history."""
    settings = [*(image.config.get("Env") or ()), *(f"{key}={value}" for key, value in image.labels.items())]
    told = [text for text in (*settings, *engine.history(reference)) if SECRET.search(text)]
    names = ", ".join(text.split("=")[0][:60] for text in told)
    return Check(name="settings", passed=not told, detail=f"looks like a secret: {names}" if told else "no secret")


def require(reference: str, checks: tuple[Check, ...]) -> None:
    """Raise VerifyError when a check has failed; it names each one that did."""
    failed = [item for item in checks if not item.passed]
    if failed:
        lines = "\n".join(f"  {item.name}: {item.detail}" for item in failed)
        raise VerifyError(f"{reference} is not what it should be:\n{lines}")


def inside(reference: str, script: str, arguments: tuple[str, ...], *, user: str | None = None) -> Check:
    """Run a script of dockerfiles/verify in the image; its last line is the detail."""
    try:
        output = said(reference, script, arguments, user=user)
    except CommandError as error:
        return Check(name=script, passed=False, detail=error.tail or str(error))
    return Check(name=script, passed=True, detail=output.strip().splitlines()[-1] if output.strip() else "ok")


def said(reference: str, script: str, arguments: tuple[str, ...] = (), *, user: str | None = None) -> str:
    """Run a script of dockerfiles/verify in the image, read-only, without network or privilege; return what it printed.

    Raises:
        CommandError: it failed.
    """
    text = Path(SCRIPTS / script).read_text(encoding="utf-8").replace("\r\n", "\n")
    return engine.run_once(
        reference,
        ["-c", text, script, *arguments],
        entrypoint="/bin/bash",
        user=user,
        network_mode="none",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        tmpfs={"/tmp": ""},  # noqa: S108 - in the container
    )
