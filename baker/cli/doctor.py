"""`baker doctor`: what this machine has and lacks."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from baker.cli import context, options
from baker.errors import EngineError, UsageError

app = typer.Typer()


@app.command()
def doctor(
    project: options.Folder = None,
    fix: Annotated[bool, typer.Option("--fix", help="Do what baker can do about it, after a question each.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Answer every question of --fix with yes.")] = False,
    as_json: options.Json = False,
) -> None:
    """Check this machine for builds, starts and publishing, and say what to do about what is missing.

    It looks at the engine, buildx, compose, the base, disk, memory, cores, clock, proxies, bridge, cards and whether a
    container sees them, cosign and skopeo, and at what `docker compose up` needs: images, ports, models and their room.

    Examples:
      baker doctor
      baker doctor --fix         # asks before it installs, builds or downloads
      baker doctor --fix --yes
    """
    from baker.cli import report
    from baker.doctor import examine, treatment
    from baker.system import process

    if fix and not yes and not sys.stdin.isatty():
        raise UsageError("--fix asks before it does something, and nobody is here to answer: add --yes")
    found, engine, notes = context.project(project), context.engine(), context.notes()
    findings = examine.examine(found, engine, context.now())
    if fix:
        if not as_json:
            report.findings(findings, notes)
        done = treatment.treat(
            findings,
            lambda question: yes or typer.confirm(question, err=True),
            lambda command: process.run(command, env=engine.environment),
            lambda line: notes.print(line, highlight=False, markup=False),
        )
        notes.print(f"{done} fixed" if done else "nothing was done: baker can fix none of it, or was told not to")
        findings = examine.examine(found, engine, context.now()) if done else findings
    if as_json:
        typer.echo(json.dumps([asdict(item) for item in findings], indent=2))
    else:
        report.findings(findings, context.console())
    if any(item.state == "missing" for item in findings):
        raise typer.Exit(EngineError.exit_code)
