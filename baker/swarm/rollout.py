"""The rollout: how Swarm runs a service of a stack. Replicas, nodes with cards, updates, and when those go back."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from baker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

RESTART = {"always": "any", "unless-stopped": "any", "on-failure": "on-failure", "no": "none"}
KEPT = ("endpoint_mode", "labels", "mode")
# Docker's own, where an image says nothing. https://docs.docker.com/reference/dockerfile/#healthcheck
INTERVAL = TIMEOUT = 30.0
RETRIES = 3
UNWATCHED = 30
LABEL = "node.labels."
UNIT = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")


@dataclass(frozen=True, kw_only=True)
class Image:
    """A published image: `reference` has its digest, times of its HEALTHCHECK are seconds, `baked` says who made it."""

    reference: str
    checked: bool
    interval: float
    timeout: float
    retries: int
    start_period: float
    baked: bool


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the command line says. `gpu` is a generic resource, or "node.labels.NAME=VALUE"; `drain` is in seconds."""

    replicas: Mapping[str, int]
    gpu: str
    drain: int


def make(
    name: str, service: Mapping[str, Any], image: Image, wishes: Wishes, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Return a service's `deploy` table; what the compose file says of that itself stands.

    Args:
        name: the service's.
        service: what the compose file says of it.
        image: its published image.
        wishes: what the command line says.
        tell: takes notes for whoever deploys.

    Raises:
        UsageError: it asks for something that Swarm refuses.
    """
    own = service.get("deploy") or {}
    said = own.get("update_config") or {}
    on_node = [port.get("mode") == "host" for port in service.get("ports") or ()]
    if own.get("endpoint_mode") == "dnsrr" and not all(on_node):
        raise UsageError(
            f"{name}: with `endpoint_mode: dnsrr` there is no mesh that a port could be published in: take its ports "
            "out, `ports: !reset []`, or give them `mode: host`"
        )
    order = "start-first"
    if any(on_node) and "order" not in said:
        order = "stop-first"
        tell(f"{name} publishes on the node itself, so that the old replica stops before the new one starts")
    rolling = {"monitor": f"{_watch(name, service, image, tell)}s", "order": order, "parallelism": 1}
    resources, constraints = _resources(name, service, wishes.gpu, tell)
    placement = dict(own.get("placement") or {})
    if constraints:
        placement["constraints"] = [*placement.get("constraints", ()), *constraints]
    found = {
        **{key: own[key] for key in KEPT if key in own},
        "placement": placement,
        "resources": resources,
        "restart_policy": own.get("restart_policy") or _restart(service.get("restart", "")),
        "rollback_config": {**rolling, **(own.get("rollback_config") or {})},
        "update_config": {**rolling, "failure_action": "rollback", **said},
    }
    if not own.get("mode", "replicated").startswith("global"):
        found["replicas"] = wishes.replicas.get(name, own.get("replicas", service.get("scale", 1)))
    elif name in wishes.replicas:
        raise UsageError(f"--replicas: {name} has one replica on each node, by its `mode: global`")
    return {key: value for key, value in sorted(found.items()) if value != {}}


def environment(service: Mapping[str, Any], gpu: str) -> dict[str, str]:
    """Return what tells NVIDIA's runtime to hand in cards: `docker compose` asks the engine for them, Swarm does not.

    Which card a generic resource stands for, the runtime reads from a variable that Swarm sets by itself.
    """
    if not _cards(service):
        return {}
    seen = {"NVIDIA_VISIBLE_DEVICES": "all"} if gpu.startswith(LABEL) else {}
    return {"NVIDIA_DRIVER_CAPABILITIES": "compute,utility", **seen}


def seconds(duration: str) -> float:
    """Return the seconds of a duration as compose writes it, as in "1m30s"."""
    parts = DURATION.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise UsageError(f"{duration!r} is no duration; write it as in '1m30s'")
    return sum(float(number) * UNIT[unit] for number, unit in parts)


def _watch(name: str, service: Mapping[str, Any], image: Image, tell: Callable[[str], None]) -> int:
    """Return for how many seconds an update watches a new replica: longer than its health check needs to fail."""
    health = service.get("healthcheck") or {}
    if health.get("disable") or not (image.checked or "test" in health):
        tell(f"{name} has no health check: an update goes back only when the new replica ends by itself")
        return UNWATCHED
    interval, timeout, start = (
        seconds(health[key]) if key in health else value
        for key, value in (
            ("interval", image.interval or INTERVAL),
            ("timeout", image.timeout or TIMEOUT),
            ("start_period", image.start_period),
        )
    )
    retries = int(health.get("retries") or image.retries or RETRIES)
    return math.ceil(start + retries * (interval + timeout) + interval)


def _resources(
    name: str, service: Mapping[str, Any], gpu: str, tell: Callable[[str], None]
) -> tuple[dict[str, Any], Sequence[str]]:
    """Return limits and reservations, and the constraints that place a service on nodes with a card."""
    own = (service.get("deploy") or {}).get("resources") or {}
    plain = {"cpus": service.get("cpus"), "memory": service.get("mem_limit")}
    limits = {**{key: value for key, value in plain.items() if value}, **(own.get("limits") or {})}
    reserved = {key: value for key, value in (own.get("reservations") or {}).items() if key != "devices"}
    cards = _cards(service)
    constraints = []
    if cards and gpu.startswith(LABEL):
        label, _, value = gpu.partition("=")
        constraints.append(f"{label} == {value or 'true'}")
    elif cards:
        count = max(_count(item) for item in cards)
        if count < 1:
            tell(f"{name} asks for all cards of a machine; in the stack each replica takes one {gpu}")
        spec = {"discrete_resource_spec": {"kind": gpu, "value": max(count, 1)}}
        reserved["generic_resources"] = [*reserved.get("generic_resources", ()), spec]
    for table in (limits, reserved):
        if "cpus" in table:
            # The format wants text where compose gives a number.
            table["cpus"] = str(table["cpus"])
    found = {"limits": limits, "reservations": reserved}
    return {kind: table for kind, table in found.items() if table}, constraints


def _cards(service: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return a compose file's requests for cards: `gpus:`, which asks for nothing else, and devices of `deploy:`.

    https://docs.docker.com/reference/compose-file/services/#gpus
    """
    reserved = ((service.get("deploy") or {}).get("resources") or {}).get("reservations") or {}
    asked = [item for item in reserved.get("devices") or () if "gpu" in item.get("capabilities", ())]
    return [*asked, *(service.get("gpus") or ())]


def _count(request: Mapping[str, Any]) -> int:
    """Return how many cards a request is for; -1 is all, which is also what a request means that says nothing."""
    count = request.get("count", len(request.get("device_ids", ())) or -1)
    return -1 if count == "all" else int(count)


def _restart(restart: str) -> dict[str, Any]:
    policy, _, attempts = restart.partition(":")
    if not policy:
        return {}
    return {"condition": RESTART[policy], "delay": "5s", **({"max_attempts": int(attempts)} if attempts else {})}
