"""The network: proxies of the environment and of the engine, which pulls by itself; and the bridge of containers."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baker.buildkit import proxies
from baker.doctor.finding import NOTE, OK, Finding
from baker.errors import BakerError
from baker.models.environment import hidden

if TYPE_CHECKING:
    from collections.abc import Mapping

    from baker.engine.interface import Engine

DAEMON = "https://docs.docker.com/engine/daemon/proxy/"
INTERFACES = Path("/sys/class/net")
# NET_ADDR_SET of linux/netdevice.h: the interface was given its MAC address.
GIVEN = "3"
NAME = '{{index .Options "com.docker.network.bridge.name"}}'


def proxy(environment: Mapping[str, str], told: Mapping[str, Any]) -> Finding:
    """Look at proxies; addresses are shown without their logins."""
    own = [f"{name}={hidden(environment[name])}" for name in proxies.arguments(environment)]
    engine = hidden(str(told.get("HttpsProxy") or told.get("HttpProxy") or ""))
    carrying = [line for line in own if not line.lower().startswith("no_proxy")]
    if carrying and not engine:
        detail = f"{', '.join(own)}: builds get them; the engine has none, and pulls images without: {DAEMON}"
        return Finding(name="proxies", state=NOTE, detail=detail)
    if engine and not carrying:
        detail = f"the engine has {engine}, the environment has none: downloads of builds go without; set HTTPS_PROXY"
        return Finding(name="proxies", state=NOTE, detail=detail)
    return Finding(name="proxies", state=OK, detail=f"{', '.join(own)}; engine: {engine}" if own else "none")


def bridge(engine: Engine, interfaces: Path = INTERFACES) -> tuple[Finding, ...]:
    """Look at the bridge of containers and builds, where it is on this machine.

    Docker gives a bridge that it makes a MAC address. One that was made by hand may have none of its own: it then takes
    the lowest of its containers'. Whenever that changes, the others send to the old one for up to a minute.
    """
    with suppress(BakerError, OSError):
        if not engine.describe().local:
            return ()
        name = engine.command("network", "inspect", "bridge", "--format", NAME).strip()
        if (interfaces / name / "addr_assign_type").read_text(encoding="ascii").strip() == GIVEN:
            return (Finding(name="bridge", state=OK, detail=f"{name} has a MAC address of its own"),)
        detail = (
            f"{name} has no MAC address of its own: when a container starts or ends, connections of others, and "
            f"downloads of builds, may stall for a minute; give it one: `sudo ip link set dev {name} address "
            "02:42:ac:11:00:01`, and so where it is made"
        )
        return (Finding(name="bridge", state=NOTE, detail=detail),)
    return ()
