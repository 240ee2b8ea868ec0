"""One check of one image, and how a script of dockerfiles/verify runs in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baker.dockerfile import render
from baker.engine import containers
from baker.errors import BakerError, CommandError, EngineError

if TYPE_CHECKING:
    from baker.engine.interface import Engine

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


def inside(engine: Engine, reference: str, script: str, arguments: tuple[str, ...]) -> Check:
    """Run a script of dockerfiles/verify in the image; its last line is the detail."""
    try:
        output = said(engine, reference, script, arguments)
    except (CommandError, EngineError) as error:
        return Check(name=script, passed=False, detail=why(error))
    return Check(name=script, passed=True, detail=output.strip().splitlines()[-1] if output.strip() else "ok")


def why(error: BakerError) -> str:
    """Return why something did not run in an image: what it printed, or what the engine says."""
    return (error.tail if isinstance(error, CommandError) else "") or str(error)


def said(
    engine: Engine,
    reference: str,
    script: str,
    arguments: tuple[str, ...] = (),
    *,
    folder: Path = SCRIPTS,
    **options: Any,  # noqa: ANN401 - the SDK names them
) -> str:
    """Run a script in the image, read-only, without network or privilege; return what it printed.

    Args:
        engine: where the image is.
        reference: the image.
        script: the name of a script.
        arguments: those of the script.
        folder: the folder of the script, by default dockerfiles/verify.
        options: more for the container, as the SDK names it.

    Raises:
        CommandError: it failed.
        EngineError: it cannot be started: there is no bash.
    """
    return containers.run_once(
        engine,
        reference,
        ["-c", text(script, folder), script, *arguments],
        entrypoint="/bin/bash",
        **{**HARDENED, **options},
    )


def text(script: str, folder: Path = SCRIPTS) -> str:
    """Return a script of a folder, by default of dockerfiles/verify."""
    return Path(folder / script).read_text(encoding="utf-8").replace("\r\n", "\n")
