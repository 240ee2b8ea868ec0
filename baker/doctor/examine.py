"""One look at everything that a build, a start and publishing need; nothing is changed."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from baker.buildkit import builder, secrets
from baker.dockerfile import bakefile
from baker.doctor import cards, machine, network, programs, start
from baker.doctor.finding import OK, Finding
from baker.errors import BakerError

if TYPE_CHECKING:
    from datetime import datetime

    from baker.config.pins import Pins
    from baker.config.project import Project
    from baker.engine.interface import Engine


def examine(project: Project, engine: Engine, now: datetime) -> tuple[Finding, ...]:
    """Look at everything."""
    settings, environment = project.read_settings(), engine.environment
    bundle = dict(secrets.collect(settings, environment)).get("ca")
    told = machine.info(engine)
    plugins = programs.setup(project, "run the checkout's own set-up, which installs buildx, compose and more")
    images = [f"{bakefile.image_name(settings, name)}:{settings.tag}" for name in project.names()]
    return (
        programs.tried("engine", lambda: f"Docker {engine.describe().version}"),
        programs.tried("buildx", lambda: builder.require_buildx(engine), plugins),
        programs.platform(settings, engine),
        programs.compose(engine, plugins),
        programs.base(project, settings, environment),
        machine.room(engine),
        machine.cache(settings, engine),
        *machine.owners(engine),
        *machine.power(told),
        machine.clock(told, now, machine.network_time(settings)),
        Finding(name="authorities", state=OK, detail=str(bundle) if bundle else "the public ones"),
        network.proxy(environment, told),
        *network.bridge(engine),
        *cards.look(engine, _pins(project), images),
        *programs.publishing(environment),
        *start.look(project, settings, engine),
    )


def _pins(project: Project) -> Pins | None:
    with suppress(BakerError):
        return project.read_pins()
    return None
