"""The stack: a compose file's services as Docker Swarm takes them. A pure translation; deploy.py does the asking.

The format is version 3.9 of the compose file, which `docker stack deploy` reads since Docker 20.10.
https://docs.docker.com/reference/cli/docker/stack/deploy/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from baker.errors import UsageError
from baker.swarm import rollout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from baker.swarm.rollout import Image, Wishes

VERSION = "3.9"
# What the format has and Swarm heeds, as it stands; and what becomes something else here.
TAKEN = (
    *("cap_add", "cap_drop", "command", "dns", "dns_search", "entrypoint", "extra_hosts", "hostname", "init"),
    *("isolation", "labels", "logging", "read_only", "stdin_open", "stop_grace_period", "stop_signal", "sysctls"),
    *("tty", "ulimits", "user", "working_dir"),
)
TRANSLATED = (
    *("configs", "cpus", "deploy", "env_file", "environment", "gpus", "healthcheck", "image", "mem_limit"),
    *("network_mode",),
    *("networks", "ports", "restart", "scale", "secrets", "tmpfs", "volumes"),
)
HEALTH = ("disable", "interval", "retries", "start_period", "test", "timeout")
PORT = ("mode", "protocol", "published", "target")
MOUNT = ("read_only", "source", "target", "type")
ATTACHED = ("aliases", "ipv4_address", "ipv6_address")
# What a mount may say more, by its type.
OPTIONS = {"bind": ("propagation",), "volume": ("nocopy",), "tmpfs": ("size",)}
# What a tmpfs of Swarm's is anyway.
TMPFS = ("mode=1777", "rw", "nosuid", "nodev", "noexec")
# A signal that ends nobody: the server goes on for those who are connected, until the grace period is over.
DRAIN_SIGNAL = "SIGCONT"


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack file's content, and what whoever deploys has to know beside it."""

    content: Mapping[str, Any]
    notes: tuple[str, ...]


def make(compose: Mapping[str, Any], raw: Mapping[str, Any], images: Mapping[str, Image], wishes: Wishes) -> Stack:
    """Translate a compose file.

    Args:
        compose: what `docker compose config --format=json` gave.
        raw: the same with --no-interpolate: what comes from the environment stays out of the file, it may be a token.
        images: the published image of each service to deploy.
        wishes: what the command line says.

    Raises:
        UsageError: it asks for something that Swarm cannot do and that cannot be left out.
    """
    strange = sorted(set(wishes.replicas) - set(images))
    if strange:
        raise UsageError(f"--replicas: {strange[0]!r} is no service of the stack; it has {', '.join(sorted(images))}")
    notes: list[str] = []
    services = {
        name: _service(
            name, compose["services"][name], raw["services"][name], images[name], wishes=wishes, tell=notes.append
        )
        for name in sorted(images)
    }
    content: dict[str, Any] = {"version": VERSION, "services": services}
    for kind in ("networks", "volumes", "configs", "secrets"):
        names = sorted({name for service in services.values() for name in _used(kind, service)})
        if names:
            content[kind] = {name: _resource(kind, name, compose, notes.append) for name in names}
    left = _left({name: compose["services"][name] for name in services})
    return Stack(content=content, notes=(*left, *dict.fromkeys(notes)))


def _left(services: Mapping[str, Mapping[str, Any]]) -> Sequence[str]:
    """Return a note of all that is left out."""
    found: dict[str, list[str]] = {}
    for name, service in services.items():
        for key in sorted(set(service) - {*TAKEN, *TRANSLATED}):
            found.setdefault(key, []).append(name)
    text = "; ".join(f"{key} of {', '.join(names)}" for key, names in sorted(found.items()))
    return [f"left out, since Swarm does not have it: {text}"] if text else []


def _service(
    name: str,
    service: Mapping[str, Any],
    raw: Mapping[str, Any],
    image: Image,
    *,
    wishes: Wishes,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    ports = [_port(name, port, tell) for port in service.get("ports") or ()]
    found = {
        **{key: service[key] for key in TAKEN if service.get(key) is not None},
        "image": image.reference,
        "environment": rollout.environment(service, wishes.gpu) | _environment(raw.get("environment") or {}),
        "env_file": [file if isinstance(file, str) else file["path"] for file in raw.get("env_file") or ()],
        "healthcheck": _only(HEALTH, service.get("healthcheck") or {}),
        "networks": {key: _only(ATTACHED, value or {}) or None for key, value in _attached(name, service, tell)},
        "ports": [port for port in ports if port],
        "volumes": [
            *(_mount(name, mount, tell) for mount in service.get("volumes") or ()),
            *(_tmpfs(name, text, tell) for text in _list(service.get("tmpfs"))),
        ],
        **{kind: [_file(item) for item in service.get(kind) or ()] for kind in ("configs", "secrets")},
        "deploy": rollout.make(name, service, image, wishes, tell),
    }
    if image.baked and wishes.drain and not {"stop_signal", "stop_grace_period"} & set(found):
        found |= {"stop_signal": DRAIN_SIGNAL, "stop_grace_period": f"{wishes.drain}s"}
    return {key: value for key, value in sorted(found.items()) if value not in ([], {})}


def _environment(raw: Sequence[str] | Mapping[str, Any]) -> dict[str, Any]:
    """Return variables as compose files write them; one without a value is taken from whoever deploys."""
    if isinstance(raw, dict):
        return dict(sorted(raw.items()))
    pairs = (str(line).partition("=") for line in sorted(raw))
    return {key: value if equals else None for key, equals, value in pairs}


def _attached(
    name: str, service: Mapping[str, Any], tell: Callable[[str], None]
) -> Sequence[tuple[str, Mapping[str, Any] | None]]:
    if service.get("network_mode"):
        tell(f"{name} is in a network of the stack, where compose has `network_mode: {service['network_mode']}`")
    return sorted((service.get("networks") or {}).items())


def _port(name: str, port: Mapping[str, Any], tell: Callable[[str], None]) -> dict[str, Any]:
    """Return a port; nothing for one that was for some addresses only, and would be for all."""
    published = str(port.get("published", ""))
    if port.get("host_ip"):
        tell(
            f"port {published or port['target']} of {name} is for {port['host_ip']} alone, which Swarm cannot do: "
            "it is not published"
        )
        return {}
    if published and not (published.isascii() and published.isdecimal()):
        raise UsageError(f"{name}: Swarm publishes no range of ports, as {published} is; name one")
    return _only(PORT, port) | ({"published": int(published)} if published else {})


def _mount(name: str, mount: Mapping[str, Any], tell: Callable[[str], None]) -> dict[str, Any]:
    kind = mount["type"]
    if kind not in OPTIONS:
        raise UsageError(f"{name}: a mount of type {kind} at {mount.get('target')} is nothing that a stack file has")
    if kind == "bind":
        tell(f"{mount['source']}, which {name} mounts, has to be there on every node that it may run on")
    options = _only(OPTIONS[kind], mount.get(kind) or {})
    if "size" in options:
        options["size"] = int(options["size"])
    return _only(MOUNT, mount) | ({kind: options} if options else {})


def _tmpfs(name: str, text: str, tell: Callable[[str], None]) -> dict[str, Any]:
    target, _, text = text.partition(":")
    options = [option for option in text.split(",") if option]
    if "exec" in options:
        # Named by nobody, it is made with the task and goes with it.
        tell(f"{target} of {name} is a volume on disk for each replica: nothing can be run from a tmpfs of Swarm's")
        return {"type": "volume", "target": target}
    lost = [option for option in options if option not in TMPFS]
    if lost:
        tell(f"{target} of {name} is a tmpfs without {','.join(lost)}: the format has no such options")
    return {"type": "tmpfs", "target": target}


def _file(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config or a secret of a service; compose gives modes as octal text."""
    mode = item.get("mode")
    return {**item, **({"mode": int(mode, 8)} if isinstance(mode, str) else {})}


def _used(kind: str, service: Mapping[str, Any]) -> Sequence[str]:
    """Return the names of networks, volumes, configs or secrets that a service of the stack uses."""
    if kind == "networks":
        return tuple(service.get(kind, {}))
    mounts = (item for item in service.get(kind, ()) if item.get("type", "volume") == "volume")
    return [item["source"] for item in mounts if "source" in item]


def _resource(kind: str, name: str, compose: Mapping[str, Any], tell: Callable[[str], None]) -> dict[str, Any] | None:
    """Return a network, volume, config or secret of the stack; None is one without settings."""
    given = {key: value for key, value in (compose[kind][name] or {}).items() if value not in (None, {}, [])}
    if given.get("external"):
        return given
    if kind == "volumes":
        if given.get("driver", "local") == "local" and "driver_opts" not in given:
            tell(f"the volume {given['name']} is another one on every node: models are fetched on each")
        # Keeps its name: where `docker compose` has filled it, it is the same.
        return given
    if kind in ("configs", "secrets") and "file" not in given:
        raise UsageError(f"{kind}: {name} comes from no file; a stack file takes it from one, or as `external`")
    if given.get("name") == f"{compose['name']}_{name}":
        del given["name"]
    if given.get("driver") == "bridge":
        del given["driver"]
    return given or None


def _only(keys: Sequence[str], table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: table[key] for key in keys if key in table}


def _list(value: str | Sequence[str] | None) -> Sequence[str]:
    return [value] if isinstance(value, str) else value or ()
