"""`baker deploy`: run published images on more than one machine."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from baker.cli import context, options
from baker.errors import UsageError

app = typer.Typer()
STDOUT = Path("-")


@app.command()
def deploy(
    services: Annotated[
        list[str] | None, typer.Argument(metavar="SERVICES", help="Services of the compose file (default: all).")
    ] = None,
    project: options.Folder = None,
    swarm: Annotated[bool, typer.Option("--swarm", help="Write a stack file for Docker Swarm.")] = False,
    files: Annotated[
        list[Path] | None,
        typer.Option(
            "--file", "-f", metavar="FILE", help="Compose file to read (repeatable; later files override earlier ones)."
        ),
    ] = None,
    registry: options.Registry = None,
    tag: Annotated[
        str, typer.Option("--tag", metavar="TAG", help="Published tag (default: the one in the compose file).")
    ] = "",
    replicas: Annotated[
        list[str] | None,
        typer.Option("--replicas", metavar="SERVICE=N", help="Number of containers of each service: stt=2,tts=1."),
    ] = None,
    gpu: Annotated[
        str,
        typer.Option(
            "--gpu",
            metavar="RESOURCE",
            help="What nodes with a card have: a generic resource, or a label node.labels.NAME=VALUE.",
        ),
    ] = "NVIDIA-GPU",
    drain: Annotated[
        int,
        typer.Option(
            "--drain",
            min=0,
            metavar="SECONDS",
            help="Seconds a replaced container keeps serving its open connections before it stops.",
        ),
    ] = 30,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="File to write; - is stdout.")] = Path(
        "docker-stack.yml"
    ),
    as_json: options.Json = False,
) -> None:
    """Write a stack file from docker-compose.yml: images by digest, and updates that roll back when unhealthy.

    Nothing is deployed; the command that deploys the file is printed. docs/swarm.md and docs/kubernetes.md tell more.

    Examples:
      baker deploy --swarm --registry registry.example.com/speech --replicas stt=2,tts=1
      baker deploy --swarm -f docker-compose.yml -f docker-compose.cpu.yml --output -
    """
    from baker.cli import report
    from baker.swarm import deployment

    if not swarm:
        raise UsageError("pass --swarm to write a stack file; docs/kubernetes.md has the manifests for Kubernetes")
    found = context.project(project)
    settings = found.read_settings()
    made = deployment.make(
        found,
        settings,
        context.engine(),
        files=files or (),
        services=services or (),
        source=deployment.source(registry, tag, settings),
        wishes=deployment.wishes(replicas or (), gpu, drain),
        output=str(output),
    )
    if as_json:
        typer.echo(json.dumps(asdict(made), indent=2))
    elif output == STDOUT:
        typer.echo(made.text, nl=False)
    if output != STDOUT:
        output.write_text(made.text, encoding="utf-8")
    if not as_json:
        report.deployment(made, str(output), context.notes())
