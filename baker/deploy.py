"""Deploying: the project's compose file becomes a stack file for Docker Swarm, with each image by its digest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from baker import bakefile, run, stack, toml
from baker.errors import CommandError, UsageError
from baker.registry import Repository
from baker.rollout import Image, Wishes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from baker.project import Project
    from baker.settings import Settings

HEAD = """\
# Written by `baker deploy --swarm`; write it anew rather than edit it, what it is made from is the compose file.
#   docker stack deploy --with-registry-auth --compose-file {file} {name}
"""
SECOND = 10**9
DOCKER_HUB = "docker.io"


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
        if not service or not number.isdigit():
            raise UsageError(f"--replicas: {service}={number} is no number of replicas; write it as in stt=2,tts=1")
    return Wishes(replicas={service: int(number) for service, _, number in pairs}, gpu=gpu, drain=drain)


def make(
    project: Project, files: Sequence[Path], services: Sequence[str], source: Source, wishes: Wishes, output: str
) -> Deployment:
    """Return the stack file of a project's compose file.

    Args:
        project: the project.
        files: compose files, each over the one before; none are those that `docker compose` finds by itself.
        services: those to deploy; none means all.
        source: where the images are.
        wishes: how they are to run.
        output: the stack file's name in the commands.

    Raises:
        UsageError: there is no such service, its image is not published, or Swarm cannot do what is asked.
        NetworkError: a registry cannot be reached.
    """
    compose, raw = (_compose(project, files, more) for more in ((), ("--no-interpolate",)))
    for name in services:
        if name not in compose["services"]:
            near = toml.closest(name, list(compose["services"]))
            raise UsageError(f"the compose file has no service {name!r}; {near}")
    images = {
        name: _published(str(compose["services"][name].get("image", "")), name, project, source)
        for name in sorted(services or compose["services"])
    }
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


def _compose(project: Project, files: Sequence[Path], more: Sequence[str]) -> dict[str, Any]:
    # Outside of a project, the folder that baker was called in.
    folder = project.state.parent if project.builtin else project.root
    named = [f"--file={file.resolve()}" for file in files]
    try:
        text = run.capture(["docker", "compose", *named, "config", "--format=json", *more], cwd=folder)
    except CommandError as error:
        raise UsageError(f"{folder}: docker compose cannot read the compose file: {error.tail}") from error
    found: dict[str, Any] = json.loads(text)
    return found


def _published(reference: str, service: str, project: Project, source: Source) -> Image:
    """Look an image up in its registry."""
    name, tag, digest = _parts(reference, service)
    settings = project.settings()
    if own := _ours(name, settings, project.names()):
        if not source.destination and not _has_host(name):
            raise UsageError(
                f"{service}: {name} is an image of this machine, which other nodes cannot pull: publish it, and name "
                "the registry with --registry HOST/PATH"
            )
        name = f"{source.destination}/{own}" if source.destination else name
        tag = source.tag or tag
    elif not _has_host(name):
        name = f"{DOCKER_HUB}/{name}" if "/" in name else f"{DOCKER_HUB}/library/{name}"
    with Repository(name) as repository:
        manifest = repository.find(digest or tag)
        if manifest is None:
            there = [found for found in repository.tags() if not found.startswith("sha256-")]
            known = f"it has {', '.join(there)}; --tag takes one of these" if there else "it has none of that image"
            raise UsageError(
                f"{service}: {name}:{digest or tag} is not published: {known}"
                + (f"; or run `baker publish {own} --release` first" if own else "")
            )
        config = repository.config(manifest)["config"]
    health = config.get("Healthcheck") or {}
    return Image(
        reference=f"{name}:{tag}@{manifest.digest}" if tag else f"{name}@{manifest.digest}",
        checked=(health.get("Test") or ["NONE"])[0] != "NONE",
        interval=health.get("Interval", 0) / SECOND,
        timeout=health.get("Timeout", 0) / SECOND,
        retries=health.get("Retries", 0),
        start_period=health.get("StartPeriod", 0) / SECOND,
        baked="dev.baker.service" in (config.get("Labels") or {}),
    )


def _parts(reference: str, service: str) -> tuple[str, str, str]:
    """Return the name, the tag and the digest of a reference."""
    if not reference:
        raise UsageError(f"{service}: the compose file names no image; Swarm builds none")
    rest, _, digest = reference.partition("@")
    name, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        name, tag = rest, "" if digest else "latest"
    return name, tag, digest


def _ours(name: str, settings: Settings, services: Sequence[str]) -> str:
    """Return the service of the project that an image is of; empty for images of others."""
    found = (service for service in services if name == bakefile.image_name(settings, service))
    return next(found, "")


def _has_host(name: str) -> bool:
    host, slash, _ = name.partition("/")
    return bool(slash) and (host == "localhost" or "." in host or ":" in host)
