"""`baker deploy`: run published images on more than one machine."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from baker.cli import options
from baker.errors import UsageError

app = typer.Typer()
STDOUT = Path("-")


@app.command()
def deploy(
    services: Annotated[
        list[str] | None, typer.Argument(metavar="[SERVICES]...", help="Services of the compose file; else all.")
    ] = None,
    project: options.Folder = None,
    swarm: Annotated[bool, typer.Option("--swarm", help="For Docker Swarm.")] = False,  # noqa: FBT002
    files: Annotated[
        list[Path] | None, typer.Option("--file", "-f", help="A compose file; several lie over each other.")
    ] = None,
    registry: Annotated[
        str | None, typer.Option("--registry", help="HOST/PATH; else [images] registry and namespace of baker.toml.")
    ] = None,
    tag: Annotated[str, typer.Option("--tag", help="The published tag; else the one in the compose file.")] = "",
    replicas: Annotated[
        list[str] | None, typer.Option("--replicas", help="How many of each, as in stt=2,tts=1.")
    ] = None,
    gpu: Annotated[
        str, typer.Option("--gpu", help="What nodes with a card offer: a generic resource, or node.labels.NAME=VALUE.")
    ] = "NVIDIA-GPU",
    drain: Annotated[
        int, typer.Option("--drain", min=0, help="Seconds that a replaced server goes on for who is connected.")
    ] = 30,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; - is stdout.")] = Path(
        "docker-stack.yml"
    ),
    as_json: options.Json = False,  # noqa: FBT002
) -> None:
    """Write a stack file from docker-compose.yml: images by digest, rolling updates that go back when unhealthy.

    Deploys nothing by itself; the command that does is printed. See docs/swarm.md, and docs/kubernetes.md.

    Examples:
        baker deploy --swarm --registry registry.example.com/speech --replicas stt=2,tts=1

        baker deploy --swarm -f docker-compose.yml -f docker-compose.cpu.yml --output -
    """
    from baker import deploy as deploying  # noqa: PLC0415 - heavy, and --help has no use for it
    from baker import report  # noqa: PLC0415

    if not swarm:
        raise UsageError("for what? --swarm writes a stack file; docs/kubernetes.md has the manifests for Kubernetes")
    found = options.find(project)
    source = deploying.source(registry, tag, found.settings())
    wishes = deploying.wishes(replicas or (), gpu, drain)
    made = deploying.make(found, files or (), services or (), source, wishes, str(output))
    if as_json:
        typer.echo(json.dumps(asdict(made), indent=2))
    elif output == STDOUT:
        typer.echo(made.text, nl=False)
    if output != STDOUT:
        output.write_text(made.text, encoding="utf-8")
    if not as_json:
        report.deployment(made, str(output), options.console(err=True))
