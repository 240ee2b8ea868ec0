"""What the doctor found."""

from __future__ import annotations

from dataclasses import dataclass

OK, NOTE, MISSING = "ok", "note", "missing"


@dataclass(frozen=True, kw_only=True)
class Fix:
    """What can be done about a finding: what it is for, as "install skopeo", and the commands, one after the other."""

    what: str
    commands: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    `state` is ok, note (works, with a limit) or missing (a build or a start cannot run); `fix` is what baker can do.
    """

    name: str
    state: str
    detail: str
    fix: Fix | None = None
