"""Does an image serve? It is started as docker-compose.yml starts it, and with less: no network and no card.

moshi-server gets a tiny synthetic model of the kind that the image's own config names; other servers run as they are.
"""

from __future__ import annotations

import posixpath
import re
import tarfile
import time
import tomllib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from baker.engine import containers
from baker.errors import EngineError, VerifyError
from baker.synthetic import archive
from baker.verify.checks import HARDENED, Check, skip

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from baker.dockerfile.requirements import Requirements
    from baker.engine.interface import Engine, LocalImage

MODELS = "/models"
PROBE = "/opt/baker/bin/moshi-health"
NAMES = ("serves", "hardened", "health", "ready")
# A slow disk is read meanwhile.
START_SECONDS, PAUSE, TRIES = 240.0, 0.2, 5
SECOND = 10**9  # Docker counts nanoseconds
TAIL = 6
# Compiling would take half a minute, and shows nothing that `compiles` does not.
ENVIRONMENT = {"NO_TORCH_COMPILE": "1"}
# Docker's words.
NO_CHECK, STARTING = "none", "starting"
# The states in /proc/net/tcp: local address and port, remote ones, 0A is LISTEN.
LISTENS = re.compile(r"^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A ", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Life:
    """How a start went: whether the server listened, what Docker and the probe said of it, and its log's end.

    `health` is Docker's word: healthy, unhealthy, starting, or none where the image has no health check.
    """

    listened: bool
    health: str
    said: str
    answer: str
    log: str


def check(
    engine: Engine,
    reference: str,
    image: LocalImage,
    expected: Requirements,
    *,
    seconds: float = START_SECONDS,
    environment: Mapping[str, str] | None = None,
) -> tuple[Check, ...]:
    """Start an image's server: does it listen, hardened, is it healthy, and does its model loop answer?

    Args:
        engine: where the image is.
        reference: the image.
        image: the same, as the engine has it.
        expected: what it should be.
        seconds: how long a start may take.
        environment: more variables for its container.
    """
    if not expected.port and not expected.health:
        return tuple(skip(name, "not a server: it has no port and no health check") for name in NAMES)
    try:
        kind = config_kind(engine, reference, image)
        model = archive.make(kind, seen_as=MODELS) if kind else None
        alive = partial(_live, engine, reference, image, expected, seconds=seconds, environment=environment)
        life = first = alive(model=model, options=HARDENED)
        if not first.listened:
            # Is it that, or does it start nowhere?
            life = alive(model=model, options={})
    except (EngineError, VerifyError) as error:
        return _does_not_start(str(error))
    entry = " ".join(image.config.get("Entrypoint") or ())
    if not life.listened:
        return _does_not_start(f"{entry} does not listen: {life.log}")
    under = "--network none --read-only --cap-drop ALL"
    return (
        Check(name="serves", passed=True, detail=f"{entry} listens on port {expected.port}"),
        Check(
            name="hardened",
            passed=first.listened,
            detail=f"starts under {under}" if first.listened else f"starts, but not under {under}: {first.log}",
        ),
        _health(life, expected),
        _ready(life, model),
    )


def _does_not_start(reason: str) -> tuple[Check, ...]:
    serves = Check(name="serves", passed=False, detail=reason)
    return (serves, *(skip(name, "it does not start") for name in NAMES[1:]))


def config_kind(engine: Engine, reference: str, image: LocalImage) -> str:
    """Return the kind of synthetic model for the config that an image's command names; empty when it names none.

    Raises:
        VerifyError: the config is not there, or is no TOML.
    """
    command = list(image.config.get("Cmd") or ())
    if "--config" not in command[:-1]:
        return ""
    path = posixpath.join(image.config.get("WorkingDir") or "/", command[command.index("--config") + 1])
    for _, stream in containers.copied(engine, reference, [path]):
        with tarfile.open(fileobj=stream, mode="r|") as files:
            content = next((files.extractfile(member) for member in files if member.isreg()), None)
            try:
                modules = tomllib.loads(content.read().decode()).get("modules", {}) if content else {}
            except ValueError as error:
                raise VerifyError(f"{path}: {error}") from error
            types = {module.get("type") for module in modules.values()}
            return next((kind for kind in archive.KINDS if kind in types), "")
    raise VerifyError(f"{path}, which the image's command names, is not in it")


def _live(
    engine: Engine,
    reference: str,
    image: LocalImage,
    expected: Requirements,
    *,
    model: archive.Model | None,
    seconds: float,
    environment: Mapping[str, str] | None,
    options: Mapping[str, Any],
) -> Life:
    """Start a server, wait until it listens and Docker has made up its mind, ask the probe, and end it."""
    command = list(image.config.get("Cmd") or ())
    if model:
        command = [*model.command(command, MODELS), "--cpu"]
    with engine.container(
        reference,
        command,
        volume=(MODELS, model.packed()) if model else None,
        user="1000:1000",
        environment={**ENVIRONMENT, **(environment or {})},
        # The image's own check, at once and not after its interval.
        healthcheck={"interval": SECOND},
        **options,
    ) as server:
        server.start()
        listened = _wait(server, seconds, lambda: _listens(server, expected.port))
        if listened and expected.health:
            _wait(server, seconds, lambda: _state(server).get("Status", NO_CHECK) != STARTING)
        state = _state(server)
        looks = state.get("Log") or ()
        answer = ""
        for _ in range(TRIES if listened and model else 0):
            # The health check may hold a slot for a moment: then the probe finds other signs of life.
            answer = containers.execute(server, [PROBE])
            if model and (f"{model.path} answers" in answer or answer.startswith("unhealthy")):
                break
        log = server.logs().decode(errors="replace").strip().splitlines()[-TAIL:]
        return Life(
            listened=listened,
            health=str(state.get("Status", NO_CHECK)),
            said=str(looks[-1].get("Output", "")).strip() if looks else "",
            answer=answer.strip(),
            log="\n".join(log) or "its log is empty",
        )


def _health(life: Life, expected: Requirements) -> Check:
    if not expected.health:
        return skip("health", "it has no health check")
    if life.health == NO_CHECK:
        said = "its service has a health check, and the image has none: it was taken off, as by HEALTHCHECK NONE"
    elif life.health == STARTING:
        said = "the health check has not answered in time"
    else:
        said = life.said or "the health check says nothing"
    return Check(name="health", passed=life.health == "healthy", detail=said)


def _ready(life: Life, model: archive.Model | None) -> Check:
    if model is None:
        return skip("ready", "its config names no module that there is a synthetic model for")
    passed = f"{model.path} answers" in life.answer
    return Check(name="ready", passed=passed, detail="reads Ready: " + life.answer if passed else life.answer)


def _wait(server: Any, seconds: float, happened: Callable[[], bool]) -> bool:  # noqa: ANN401 - the SDK's own
    """Wait until something has happened; not when the container ends before, or in time."""
    deadline = time.monotonic() + seconds
    while not happened():
        server.reload()
        if server.status != "running" or time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True


def _state(server: Any) -> dict[str, Any]:  # noqa: ANN401 - the SDK's own
    server.reload()
    found: dict[str, Any] = server.attrs["State"].get("Health") or {}
    return found


def _listens(server: Any, port: int) -> bool:  # noqa: ANN401 - the SDK's own
    """Whether something listens on a port in the container; 0 is any port."""
    found = {
        int(number, 16)
        for number in LISTENS.findall(containers.execute(server, ["cat", "/proc/net/tcp", "/proc/net/tcp6"]))
    }
    return port in found if port else bool(found)
