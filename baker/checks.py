"""One check of one image, and how a script of dockerfiles/verify runs in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baker import containers, render
from baker.errors import BakerError, CommandError, EngineError

SCRIPTS = render.TEMPLATES / "verify"
# What a container of a verified image gets, and what it must do with.
HARDENED: dict[str, Any] = {
    "network_mode": "none",
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "tmpfs": {"/tmp": "mode=1777,exec"},  # noqa: S108 - in the container
}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check of one image. `detail` says what was found; it is what to read when `passed` is false.

    What cannot be asked of an image is `skipped`, and counts as passed; the detail says why.
    """

    name: str
    passed: bool
    detail: str
    skipped: bool = False


def skip(name: str, why: str) -> Check:
    """Return a check that does not apply, and why."""
    return Check(name=name, passed=True, detail=why, skipped=True)


def inside(reference: str, script: str, arguments: tuple[str, ...]) -> Check:
    """Run a script of dockerfiles/verify in the image; its last line is the detail."""
    try:
        output = said(reference, script, arguments)
    except (CommandError, EngineError) as error:
        return Check(name=script, passed=False, detail=why(error))
    return Check(name=script, passed=True, detail=output.strip().splitlines()[-1] if output.strip() else "ok")


def why(error: BakerError) -> str:
    """Return why something did not run in an image: what it printed, or what the engine says."""
    return (error.tail if isinstance(error, CommandError) else "") or str(error)


def said(reference: str, script: str, arguments: tuple[str, ...] = (), **options: Any) -> str:  # noqa: ANN401 - the SDK names them
    """Run a script of dockerfiles/verify in the image, read-only, without network or privilege; return what it printed.

    Raises:
        CommandError: it failed.
        EngineError: it cannot be started: there is no bash.
    """
    return containers.run_once(
        reference, ["-c", text(script), script, *arguments], entrypoint="/bin/bash", **{**HARDENED, **options}
    )


def text(script: str) -> str:
    """Return a script of dockerfiles/verify."""
    return Path(SCRIPTS / script).read_text(encoding="utf-8").replace("\r\n", "\n")
