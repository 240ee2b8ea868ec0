"""The server to try: one that runs already, or one that is started for it and removed afterwards."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from baker.build import hostcards
from baker.dockerfile import labels
from baker.engine import containers
from baker.errors import CommandError, EngineError, UsageError
from baker.speech import wire
from baker.speech.wire import Server
from baker.synthetic import archive
from baker.trial import models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from baker.engine.interface import Engine

MODELS = "/models"
PORT = 8080
HF_HOME = "/root/.cache/huggingface"
TAIL = 6
ANYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - what the engine says of a port, nothing that we listen on
# As docker-compose.yml has them; the root is not read-only, since a folder for the models may be mounted below a cache.
HARDENED: dict[str, Any] = {
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "tmpfs": {"/tmp": "mode=1777,exec"},  # noqa: S108 - in the container
}
# On a CPU, compiling takes longer than it saves in a short trial.
ON_CPU = {"NO_TORCH_COMPILE": "1"}


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody wants to try.

    Attributes:
        service: the service's name.
        image: the image that is started where the service does not run.
        path: the path of the module on the server.
        query: what the URL of a connection ends with.
        kind: the kind of its synthetic model, as in archive.KINDS.
        key: the key.
        at: where a running one listens, HOST:PORT or a container's name; empty is to look for one.
        cpu: start one on the CPU, in any case.
        models: start one with these models, in any case: a volume, or a folder with a slash in it.
        synthetic: start one with a tiny model, in any case.
        own: start one, in any case.
        seconds: how long a start may take.
    """

    service: str
    image: str
    path: str
    query: str
    kind: str
    key: str
    at: str
    cpu: bool
    models: str
    synthetic: bool
    own: bool
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A server that answers. `ready` are the seconds from its start to its `Ready`; None where it ran already."""

    server: Server
    name: str
    ready: float | None


def running(engine: Engine, service: str) -> Mapping[str, str]:
    """Return the addresses of a service's running containers by their names; what baker runs for a moment is left out.

    Raises:
        EngineError: the engine is on another machine, whose addresses nobody here knows.
    """
    listing = ("ps", "--quiet", "--no-trunc", "--filter", f"label={labels.SERVICE}={service}")
    ids = engine.command(*listing).split()
    found = json.loads(engine.command("container", "inspect", *ids)) if ids else []
    kept = [item for item in found if containers.MOMENTARY not in (item["Config"].get("Labels") or {})]
    if kept and not engine.describe().local:
        raise EngineError("the engine is on another machine: say where the service listens with --at HOST:PORT")
    return {item["Name"].lstrip("/"): address for item in kept if (address := _address(item))}


def named(engine: Engine, at: str) -> str:
    """Return the address of --at, which is HOST:PORT, a URL or a container's name."""
    if ":" in at:
        return at
    try:
        (found,) = json.loads(engine.command("container", "inspect", at))
    except CommandError as error:
        raise UsageError(f"--at {at}: there is no such container; write HOST:PORT or the name of one") from error
    if address := _address(found):
        return address
    raise UsageError(f"--at {at}: nothing reaches port {PORT} of this container: is it running?")


def _address(found: Mapping[str, Any]) -> str:
    """Return HOST:PORT of a container: a published port, or else its own address in a network of this machine."""
    network = found["NetworkSettings"]
    for published in (network.get("Ports") or {}).get(f"{PORT}/tcp") or ():
        host = published["HostIp"]
        return f"{'127.0.0.1' if host in ANYWHERE else host}:{published['HostPort']}"
    own = [each["IPAddress"] for each in (network.get("Networks") or {}).values() if each.get("IPAddress")]
    return f"{own[0]}:{PORT}" if own else ""


@contextmanager
def opened(engine: Engine, wish: Wish, say: Callable[[str], None]) -> Iterator[Trial]:
    """Yield a server to try. One that was started for it goes with the block.

    Raises:
        UsageError: several containers of the service run, or its models cannot be found.
        EngineError: there is no image to start, or it does not start.
    """
    own = wish.own or wish.cpu or wish.synthetic or bool(wish.models)
    if wish.at and own:
        raise UsageError(
            "--at names a service that runs: --image, --synthetic, --cpu and --models are for one to start"
        )
    found = {wish.at: named(engine, wish.at)} if wish.at else {} if own else running(engine, wish.service)
    if len(found) > 1:
        raise UsageError(f"several containers of {wish.service} run: name one with --at, of {', '.join(sorted(found))}")
    for name, address in found.items():
        yield Trial(server=Server(address=address, path=wish.path, key=wish.key), name=name, ready=None)
        return
    with _started(engine, wish, say) as trial:
        yield trial


@contextmanager
def _started(engine: Engine, wish: Wish, say: Callable[[str], None]) -> Iterator[Trial]:
    image = engine.image(wish.image)
    if image is None:
        raise EngineError(f"no server runs, and there is no image {wish.image} here: run `baker build` first")
    command = list(image.config.get("Cmd") or ())
    if "--config" not in command[:-1]:
        raise UsageError(f"the command of {wish.image} names no --config: start it yourself, and pass --at HOST:PORT")
    options: dict[str, Any] = {"ports": {f"{PORT}/tcp": ("127.0.0.1", None)}, **HARDENED}
    path, what = wish.path, "a tiny synthetic model"
    if wish.synthetic:
        model = archive.make(wish.kind, seen_as=MODELS)
        command, path, options["volume"] = model.command(command, MODELS), model.path, (MODELS, model.packed())
    else:
        home = image.environment.get("HF_HOME", HF_HOME)
        mounted = models.find(engine, wish.models, home, engine.environment)
        options |= mounted.options()
        what = f"the models in {mounted.source}; it downloads what is missing there"
    if (
        card := not (wish.cpu or wish.synthetic)
        and image.labels.get(labels.ACCEL) == "cuda"
        and hostcards.given(engine)
    ):
        options["device_requests"] = [hostcards.ALL_CARDS]
    else:
        command, options["environment"] = [*command, "--cpu"], ON_CPU
    say(f"starting {wish.image} on the {'card' if card else 'CPU'} with {what}")
    with engine.container(wish.image, command, **options) as made:
        begun = time.monotonic()
        made.start()
        made.reload()
        address = _address(made.attrs)
        if not address or not engine.describe().local:
            raise EngineError(f"{wish.image} runs where nothing here reaches it: start it yourself, and pass --at")
        server = Server(address=address, path=path, key=wish.key)
        asyncio.run(wire.until_ready(server, wish.seconds, lambda: _alive(made, wish.image), query=wish.query))
        yield Trial(server=server, name=wish.image, ready=time.monotonic() - begun)


def _alive(made: Any, image: str) -> None:  # noqa: ANN401 - the SDK's own
    """Raise EngineError when a container has ended."""
    made.reload()
    if made.status not in ("created", "running"):
        log = made.logs().decode(errors="replace").strip().splitlines()[-TAIL:]
        raise EngineError(f"{image} ended while it started:\n" + "\n".join(log))
