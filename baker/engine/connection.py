"""The connection of the SDK to the engine that the docker command line uses."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from baker.engine import tunnel
from baker.errors import NOT_STARTED, CommandError, EngineError
from baker.system import process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEFAULT = "unix:///var/run/docker.sock"
# What the SDK connects to as the docker command line does; ssh and TLS are left to that.
DIRECT = ("unix://", "npipe://")
START_HINT = "is it running, and may this user talk to it? (`docker info` says the same)"
TIMEOUT = 600


@contextmanager
def connected(environment: Mapping[str, str]) -> Iterator[Any]:
    """Yield the SDK's client for the engine that DOCKER_HOST or the context names.

    Raises:
        EngineError: no engine answers there.
    """
    import docker  # noqa: PLC0415 - slow to import, and `baker --help` has no use for it

    host = environment.get("DOCKER_HOST") or _context_host(environment)
    with ExitStack() as stack:
        address = host if host.startswith(DIRECT) else stack.enter_context(tunnel.through_cli(environment))
        try:
            client = docker.DockerClient(base_url=address, timeout=TIMEOUT)
            stack.callback(client.close)
            client.ping()
        except (docker.errors.DockerException, OSError) as error:
            raise EngineError(f"no Docker engine answers at {host}: {START_HINT}") from error
        yield client


def _context_host(environment: Mapping[str, str]) -> str:
    """Return the endpoint of the docker command line's current context."""
    try:
        command = ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
        return process.capture(command, env=environment).strip()
    except CommandError as error:
        if error.returncode == NOT_STARTED:
            return DEFAULT
        raise EngineError(f"{error.tail}; `docker context ls` lists what there is") from error
