"""What `docker compose up` will need: images, free ports, models, and room for those that are missing."""

from __future__ import annotations

import json
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from baker.build import planning
from baker.doctor.finding import MISSING, NOTE, OK, Finding, Fix
from baker.errors import BakerError
from baker.models import environment, pull
from baker.system.units import GIGABYTE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from baker.config.project import Project
    from baker.config.settings import Settings
    from baker.engine.interface import Engine
    from baker.models.inventory import Cache
    from baker.models.needs import Needs

FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
VOLUME = "huggingface"
# Both models and all voices, as they lie in the cache.
MODELS_ROOM = 26


@dataclass(frozen=True, kw_only=True)
class Compose:
    """What a compose file says: project, images and (address, port) by service, volumes by their short names."""

    project: str
    images: Mapping[str, str]
    ports: Mapping[str, tuple[tuple[str, int], ...]]
    volumes: Mapping[str, str]


def look(project: Project, settings: Settings, engine: Engine) -> tuple[Finding, ...]:
    """Look at what a start by the project's compose file needs; nothing where it has none."""
    if not any((project.root / name).exists() for name in FILES):
        return ()
    try:
        told = engine.command("compose", "config", "--format", "json", cwd=project.root)
        found = read(json.loads(told))
        here = engine.describe().local
    except BakerError as error:
        return (Finding(name="compose up", state=MISSING, detail=str(error)),)
    return (
        images(found, project, engine),
        *(ports(found, engine) if here else ()),
        models(found, project, settings, engine),
    )


def read(told: Mapping[str, Any]) -> Compose:
    """Read what `docker compose config --format json` printed."""
    services = told.get("services", {})
    return Compose(
        project=str(told.get("name", "")),
        images={name: service["image"] for name, service in services.items() if "image" in service},
        ports={
            name: tuple(
                (port.get("host_ip", ""), int(port["published"]))
                for port in service.get("ports", ())
                if str(port.get("published", "")).isdecimal()
            )
            for name, service in services.items()
        },
        volumes={name: (volume or {}).get("name", name) for name, volume in told.get("volumes", {}).items()},
    )


def images(found: Compose, project: Project, engine: Engine) -> Finding:
    """See whether the images are here."""
    lacking = [name for name, image in found.images.items() if not engine.ids((image,))]
    if not lacking:
        return Finding(name="images", state=OK, detail=", ".join(found.images.values()))
    names = ", ".join(found.images[name] for name in lacking)
    own = [name for name in lacking if name in project.names()]
    build = (sys.executable, "-m", "baker", "build", *own, "--project", str(project.root))
    fix = Fix(what=f"build {' and '.join(own)}, which takes a while", commands=(build,)) if own else None
    detail = f"{names}: not here; `docker compose up` would look for it in a registry; `baker build` makes it"
    return Finding(name="images", state=NOTE, detail=detail, fix=fix)


def ports(found: Compose, engine: Engine) -> tuple[Finding, ...]:
    """See whether the ports are free, or taken by the service itself."""
    return tuple(
        _port(service, image, host, number, engine)
        for service, image in found.images.items()
        for host, number in found.ports.get(service, ())
    )


def _port(service: str, image: str, host: str, number: int, engine: Engine) -> Finding:
    name = f"port {number}"
    if free(host, number):
        return Finding(name=name, state=OK, detail=f"free, for {service}")
    holders = engine.command("ps", "--filter", f"publish={number}", "--format", "{{.Names}} {{.Image}}").splitlines()
    if any(line.partition(" ")[2] == image for line in holders):
        return Finding(name=name, state=OK, detail=f"{service} runs there already")
    who = holders[0].partition(" ")[0] if holders else "another program"
    variable = f"BAKER_{service.upper()}_PORT"
    detail = f"taken by {who}: end that, or take another port, as in {variable}={number + 1000} docker compose up"
    return Finding(name=name, state=MISSING, detail=detail)


def free(host: str, number: int) -> bool:
    """Whether a port of this machine can be listened on."""
    with socket.socket() as listener:
        # As Docker does: a connection that has just ended is no obstacle.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, number))
        except OSError:
            return False
    return True


def models(found: Compose, project: Project, settings: Settings, engine: Engine) -> Finding:
    """See whether the models' volume has what the configs name, and else whether there is room for it."""
    volume = found.volumes.get(VOLUME, "")
    if not volume:
        return Finding(name="models", state=NOTE, detail=f"the compose file has no volume {VOLUME!r}: not looked at")
    services = tuple(service for service in project.read_services(()) if service.name in found.images)
    names = tuple(service.name for service in services)
    baker = (
        sys.executable,
        "-m",
        "baker",
        "models",
        "pull",
        *names,
        "--volume",
        volume,
        "--project",
        str(project.root),
    )
    fetch = Fix(what=f"download the models into the volume {volume}", commands=(baker,))
    if volume not in engine.command("volume", "ls", "--format", "{{.Name}}").split():
        # Labelled as compose labels its own, which else warns of it.
        labels = (f"com.docker.compose.project={found.project}", f"com.docker.compose.volume={VOLUME}")
        create = ("docker", "volume", "create", *(f"--label={label}" for label in labels), volume)
        fix = Fix(what=fetch.what, commands=(create, baker))
        return _absent(f"the volume {volume} is not there yet", names, engine, fix)
    place = environment.place(engine.environment)
    try:
        with pull.open_cache(settings, services, place, name=volume, engine=engine, writing=False) as store:
            lacking = missing(pull.needed(services), store)
    except BakerError as error:
        return Finding(name="models", state=NOTE, detail=f"not looked at: {error}")
    if not lacking:
        return Finding(name="models", state=OK, detail=f"those that the configs name are in the volume {volume}")
    return _absent(f"the volume {volume} lacks {', '.join(lacking)}", names, engine, fetch)


def missing(wanted: Needs, store: Cache) -> tuple[str, ...]:
    """Return the repositories of which a cache lacks a file that a config names. Contents are not read."""
    files = {(file.repo, file.path) for file in wanted.files}
    files |= {(checkpoint.config.repo, checkpoint.config.path) for checkpoint in wanted.checkpoints}
    repos = {repo for repo, _ in files} | {voices.repo for voices in wanted.voices}
    held = {repo: store.held(repo) for repo in sorted(repos)}
    return tuple(
        repo
        for repo, found in held.items()
        if not found.names or any(path not in found.names for name, path in files if name == repo)
    )


def _absent(what: str, names: Sequence[str], engine: Engine, fix: Fix) -> Finding:
    detail = f"{what}: the first start downloads them; `baker models pull {' '.join(names)}` does it before"
    with suppress(BakerError):
        here = engine.describe()
        free = planning.free(here)
        if free is not None and free < MODELS_ROOM * GIGABYTE:
            detail = (
                f"{what}; they take up to {MODELS_ROOM} GB, and {free / GIGABYTE:.0f} GB are free under {here.root}"
            )
            return Finding(name="models", state=MISSING, detail=detail)
    return Finding(name="models", state=NOTE, detail=detail, fix=fix)
