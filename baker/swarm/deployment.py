"""Deploying: the project's compose file becomes a stack file for Docker Swarm, with each image by its digest."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import yaml

from baker.dockerfile import bakefile
from baker.dockerfile.labels import SERVICE
from baker.errors import CommandError, UsageError
from baker.registry.client import Registries
from baker.registry.references import Reference
from baker.swarm import stack
from baker.swarm.rollout import Image, Wishes
from baker.system.suggestion import closest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from baker.config.project import Project
    from baker.config.settings import Settings
    from baker.engine.interface import Engine

HEAD = """\
# Written by `baker deploy --swarm`; write it anew rather than edit it, what it is made from is the compose file.
#   docker stack deploy --with-registry-auth --compose-file {file} {name}
"""
SECOND = 10**9


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the images are: `destination` is HOST/PATH or empty; without a `tag` the compose file's stands."""

    destination: str
    tag: str


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A stack file and the commands that belong to it. `images` is by service."""

    name: str
    images: Mapping[str, str]
    notes: tuple[str, ...]
    text: str
    command: str


def source(registry: str | None, tag: str, settings: Settings) -> Source:
    """Return where images are, by the command line and else by baker.toml."""
    named = f"{settings.registry.strip('/')}/{settings.namespace}" if settings.registry else ""
    return Source(destination=(registry or named).strip("/"), tag=tag)


def wishes(replicas: Sequence[str], gpu: str, drain: int) -> Wishes:
    """Return what the command line wishes; `replicas` is as in "stt=2,tts=1"."""
    pairs = [word.strip().partition("=") for word in ",".join(replicas).split(",") if word.strip()]
    for service, _, number in pairs:
        if not service or not number.isdecimal() or not number.isascii():
            raise UsageError(f"--replicas: {service}={number} is no number of replicas; write it as in stt=2,tts=1")
    return Wishes(replicas={service: int(number) for service, _, number in pairs}, gpu=gpu, drain=drain)


def make(
    project: Project,
    settings: Settings,
    engine: Engine,
    *,
    files: Sequence[Path],
    services: Sequence[str],
    source: Source,
    wishes: Wishes,
    output: str,
) -> Deployment:
    """Return the stack file of a project's compose file.

    Args:
        project: the project.
        settings: its settings.
        engine: whose compose reads the files.
        files: compose files, each over the one before; none are those that `docker compose` finds by itself.
        services: those to deploy; none means all.
        source: where the images are.
        wishes: how they are to run.
        output: the stack file's name in the commands.

    Raises:
        UsageError: there is no such service, its image is not published, or Swarm cannot do what is asked.
        NetworkError: a registry cannot be reached.
    """
    compose, raw = (_compose(project, engine, files, more) for more in ((), ("--no-interpolate",)))
    for name in services:
        if name not in compose["services"]:
            near = closest(name, compose["services"])
            raise UsageError(f"the compose file has no service {name!r}; {near}")
    registries, images = Registries.of(engine.environment), {}
    for name in sorted(services or compose["services"]):
        image = str(compose["services"][name].get("image", ""))
        own = _ours(name, image, project, settings, source)
        images[name] = _published(name, image, own, source, registries)
    made = stack.make(compose, raw, images, wishes)
    name = compose["name"]
    body = yaml.safe_dump(made.content, sort_keys=False, allow_unicode=True, width=120)
    return Deployment(
        name=name,
        images={service: image.reference for service, image in images.items()},
        notes=made.notes,
        text=HEAD.format(file=output, name=name) + body,
        command=f"docker stack deploy --with-registry-auth --compose-file {output} {name}",
    )


def _compose(project: Project, engine: Engine, files: Sequence[Path], more: Sequence[str]) -> dict[str, Any]:
    # Outside of a project, the folder that baker was called in.
    folder = project.state.parent if project.builtin else project.root
    named = [f"--file={file.resolve()}" for file in files]
    try:
        text = engine.command("compose", *named, "config", "--format=json", *more, cwd=folder)
    except CommandError as error:
        raise UsageError(f"{folder}: docker compose cannot read the compose file: {error.tail}") from error
    found: dict[str, Any] = json.loads(text)
    return found


def _published(service: str, image: str, own: str, source: Source, registries: Registries) -> Image:
    """Look an image up in its registry.

    Args:
        service: of the compose file.
        image: what that says.
        own: the service of the project whose image it is; empty for images of others.
        source: where the project's images are.
        registries: how registries are reached.
    """
    wanted = Reference.parse(image)
    if not wanted.digest and not wanted.tag:
        wanted = wanted.tagged("latest")
    if own:
        home = Reference.parse(f"{source.destination}/{own}")
        wanted = replace(wanted, registry=home.registry, repository=home.repository, tag=source.tag or wanted.tag)
    with registries.repository(wanted) as repository:
        manifest = repository.find(wanted.pointer)
        if manifest is None:
            there = [found for found in repository.tags() if not found.startswith("sha256-")]
            known = f"it has {', '.join(there)}; --tag takes one of these" if there else "it has none of that image"
            raise UsageError(
                f"{service}: {wanted} is not published: {known}"
                + (f"; or run `baker publish {own} --release` first" if own else "")
            )
        config = repository.config(manifest)["config"]
    health = config.get("Healthcheck") or {}
    return Image(
        reference=str(replace(wanted, digest=manifest.digest)),
        checked=(health.get("Test") or ["NONE"])[0] != "NONE",
        interval=health.get("Interval", 0) / SECOND,
        timeout=health.get("Timeout", 0) / SECOND,
        retries=health.get("Retries", 0),
        start_period=health.get("StartPeriod", 0) / SECOND,
        baked=SERVICE in (config.get("Labels") or {}),
    )


def _ours(service: str, image: str, project: Project, settings: Settings, source: Source) -> str:
    """Return the service of the project that an image is of; empty for images of others.

    Raises:
        UsageError: there is no image, or it is one of this machine alone.
    """
    if not image:
        raise UsageError(f"{service}: the compose file names no image; Swarm builds none")
    names = {Reference.parse(bakefile.image_name(settings, name)).name: name for name in project.names()}
    own = names.get(Reference.parse(image).name, "")
    if own and not source.destination:
        raise UsageError(
            f"{service}: {image} is an image of this machine, which other nodes cannot pull: publish it, and name "
            "the registry with --registry HOST/PATH"
        )
    return own
