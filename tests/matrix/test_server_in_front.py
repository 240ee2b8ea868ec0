"""The Caddyfile of docs/page.md, with Debian's Caddy in front of a stand-in for moshi-server."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import msgpack
import pytest
import websockets

from tests import documentation
from tests.engines import suites

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CADDYFILE = re.compile(r"^```text\n(speech\.example\.com \{\n.*?^\}\n)```", re.MULTILINE | re.DOTALL)
# A certificate of its own authority, nothing installed, no port 80.
LOCAL = "{\n  admin off\n  auto_https disable_redirects\n  skip_install_trust\n}\n"
WORKER = documentation.ROOT / "tests/docker/health/worker.py"
CONFIG = documentation.ROOT / "services/stt/configs/stt.toml"
PATIENCE = 30


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@pytest.fixture
def trusting(tmp_path: Path) -> Iterator[tuple[int, ssl.SSLContext]]:
    """Run both; yield Caddy's port, and what trusts its authority."""
    front, behind = free_port(), free_port()
    (shown,) = CADDYFILE.findall((documentation.ROOT / "docs/page.md").read_text(encoding="utf-8"))
    site = shown.replace("speech.example.com {", f"localhost:{front} {{\n    tls internal")
    (tmp_path / "Caddyfile").write_text(LOCAL + site.replace("127.0.0.1:8090", f"127.0.0.1:{behind}"))
    suites.wrap_in(suites.with_packages("trixie", "caddy"), "caddy", tmp_path / "caddy")
    caddy = [str(tmp_path / "caddy"), "run", "--config", str(tmp_path / "Caddyfile"), "--adapter", "caddyfile"]
    worker = [sys.executable, str(WORKER), "--config", str(CONFIG), "--port", str(behind)]
    authority = tmp_path / "caddy-data/caddy/pki/authorities/local/root.crt"
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "caddy-data")}
    with ExitStack() as stack:
        log = stack.enter_context((tmp_path / "log").open("wb"))
        for argv in (caddy, worker):
            process = subprocess.Popen(argv, cwd=tmp_path, env=environment, stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        give_up = time.monotonic() + PATIENCE
        while not answers(front, authority):
            assert time.monotonic() < give_up, (tmp_path / "log").read_text()[-3000:]
            time.sleep(0.2)
        yield front, ssl.create_default_context(cafile=authority)


def answers(port: int, authority: Path) -> bool:
    with suppress(OSError):
        context = ssl.create_default_context(cafile=authority)
        with urllib.request.urlopen(f"https://localhost:{port}/api/build_info", context=context, timeout=5) as found:
            return bool(found.status == 200)
    return False


def test_headers_and_websockets_pass(trusting):
    port, context = trusting
    with urllib.request.urlopen(f"https://localhost:{port}/api/build_info", context=context, timeout=5) as found:
        headers = {name.lower(): value for name, value in found.headers.items()}
    assert headers["content-security-policy"] == "frame-ancestors 'none'"
    assert headers["permissions-policy"] == "microphone=(self)"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"].startswith("max-age=")

    async def first() -> object:
        address, key = f"wss://localhost:{port}/api/asr-streaming", {"kyutai-api-key": "public_token"}
        async with websockets.connect(address, ssl=context, additional_headers=key) as connection:
            return msgpack.unpackb(await asyncio.wait_for(connection.recv(), PATIENCE))

    assert asyncio.run(first()) == {"type": "Ready"}
