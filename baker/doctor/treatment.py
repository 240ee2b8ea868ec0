"""`baker doctor --fix`: does what can be done about findings, each after a question."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from baker.doctor.finding import Finding


def treat(
    found: Sequence[Finding],
    ask: Callable[[str], bool],
    run: Callable[[tuple[str, ...]], None],
    say: Callable[[str], None],
) -> int:
    """Run the commands of all fixes that are agreed to, each once, and return how many fixes were done.

    Args:
        found: what the doctor found.
        ask: gets a question, and returns whether the answer is yes.
        run: runs a command, and raises CommandError when it fails.
        say: is told what is begun.

    Raises:
        CommandError: a command failed; what comes after it is not done.
    """
    done = 0
    seen: set[tuple[tuple[str, ...], ...]] = set()
    for finding in found:
        fix = finding.fix
        if fix is None or fix.commands in seen:
            continue
        seen.add(fix.commands)
        lines = "\n".join(f"  {shlex.join(command)}" for command in fix.commands)
        if not ask(f"{finding.name}: {fix.what}?\n{lines}\n"):
            continue
        for command in fix.commands:
            say(f"+ {shlex.join(command)}")
            run(command)
        done += 1
    return done
