"""The image of the ways that compile at start: baker's own toolchain, uv, a locked Python project, start scripts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from baker.bench.startup.copies import Copy, command
from baker.build import pipeline, prepare, root_image
from baker.buildkit import bake, proxies, secrets
from baker.buildkit.builder import named
from baker.dockerfile import context, render
from baker.dockerfile.bases import BASES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from baker.build.machine import Machine
    from baker.build.prepare import Prepared
    from baker.build.request import Request
    from baker.config.settings import Settings
    from baker.engine.interface import Engine

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


def prepared(request: Request, machine: Machine, engine: Engine, say: Callable[[str], None]) -> Prepared:
    """Return what a service is made from, on the base that is chosen."""
    found = prepare.prepare(request, machine, engine.environment, say)
    if BASES[found.plan.base].local:
        given = secrets.collect(request.settings, engine.environment)
        for root in root_image.recipes(request, found.plan):
            root_image.ensure(engine, root, say, given)
    return found


def make(found: Prepared, machine: Machine, engine: Engine, copy: Copy, say: Callable[[str], None]) -> None:
    """Build the image NAMESPACE/devel:latest."""
    folder = copy.root / ".baker" / "devel"
    folder.mkdir(parents=True)
    context.write(files(found), folder)
    settings, builder = found.request.settings, machine.builders[0]
    given = secrets.collect(settings, engine.environment)
    contexts = root_image.contexts(engine, found.request, found.plan, builder)
    argv = (
        *("docker", "buildx", "build", "--progress=plain", "--provenance=false", f"--target={TARGET}"),
        *named(builder.name),
        *(f"--build-context={name}={where}" for name, where in contexts.items()),
        *(f"--secret=id={name},src={path}" for name, path in given),
        *(f"--build-arg={name}" for name in proxies.arguments(engine.environment)),
        f"--output={pipeline.output(machine.engine, replace(settings, reproducible=False))}",
        f"--tag={copy.image(NAME)}",
        str(folder),
    )
    bake.patiently(partial(command, argv, environment=engine.environment, say=say), say)


def ca(settings: Settings, environment: Mapping[str, str]) -> Path | None:
    """Return the bundle of certificate authorities that a start has to trust."""
    return dict(secrets.collect(replace(settings, netrc=""), environment)).get("ca")
