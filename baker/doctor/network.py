"""Proxies: those of the environment, and those of the engine, which pulls by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from baker.buildkit import proxies
from baker.doctor.finding import NOTE, OK, Finding
from baker.models.environment import hidden

if TYPE_CHECKING:
    from collections.abc import Mapping

DAEMON = "https://docs.docker.com/engine/daemon/proxy/"


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
