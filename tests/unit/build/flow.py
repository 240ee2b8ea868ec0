"""What tests of the flow call: the command line of a stand-in, and a build with what it says."""

from __future__ import annotations

import io

from rich.console import Console

from baker.build import pipeline
from baker.cli.options import BuildOptions

INSPECT = "Name: default\nDriver: docker\n"
COMMANDS = {"buildx version": "github.com/docker/buildx v0.13.1 x", "buildx inspect": INSPECT}


def build(project, engine, **options):
    said = io.StringIO()
    console = Console(file=said, width=200)
    done = pipeline.build_images(BuildOptions(project=project).request(), engine, console, **options)
    return done, said.getvalue()
