"""The image of the ways that compile at start: baker's own toolchain, uv, a locked Python project, start scripts."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.console import Console

from baker import build, engine, pipeline, prepare, render, secrets
from baker.bench.project import Copy, command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from baker.prepare import Prepared, Request

TARGET, NAME = "devel", "devel"
SCRIPTS = render.TEMPLATES / "bench"


def files(found: Prepared) -> tuple[render.Rendered, ...]:
    """Return the build context of a service with the image's stage at the end of the Dockerfile."""
    plan = found.plan
    template = render.templates().get_template("bench/devel.j2")
    dockerfile = template.render(d=plan, binary=plan.binaries[0], project=plan.projects[0])
    scripts = (
        render.Rendered(path=f"bench/{path.name}", content=path.read_bytes(), mode=render.EXECUTABLE)
        for path in sorted(SCRIPTS.glob("start_*.sh"))
    )
    kept = (file for file in found.files if file.path != "Dockerfile")
    return (*kept, *scripts, render.text("Dockerfile", dockerfile))


def prepared(request: Request) -> Prepared:
    """Return what a service is made from, on the base that is chosen."""
    link = build.knows_link(request.settings.builders, engine.describe().version)
    choice = prepare.choose(request, Console(stderr=True), link=link, make_root=True)
    return prepare.prepare(request, choice)


def make(request: Request, found: Prepared, copy: Copy, say: Callable[[str], None]) -> None:
    """Build the image NAMESPACE/devel:latest."""
    folder = copy.root / ".baker" / "devel"
    folder.mkdir(parents=True)
    render.write(files(found), folder)
    given, here = secrets.collect(request.settings, os.environ), engine.describe()
    builder = next(iter(request.settings.builders), "")
    contexts = prepare.contexts(request, builder, found.plan, here)
    argv = (
        *("docker", "buildx", "build", "--progress=plain", "--provenance=false", f"--target={TARGET}"),
        *build.named(builder),
        *(f"--build-context={name}={where}" for name, where in contexts.items()),
        *(f"--secret=id={name},src={path}" for name, path in given),
        f"--output={pipeline.output(here, replace(request.settings, reproducible=False))}",
        f"--tag={copy.image(NAME)}",
        str(folder),
    )
    command(argv, say=say)


def ca(request: Request) -> Path | None:
    """Return the bundle of certificate authorities that a start has to trust."""
    return dict(secrets.collect(replace(request.settings, netrc=""), os.environ)).get("ca")
