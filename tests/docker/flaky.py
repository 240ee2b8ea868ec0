"""A proxy before a registry that fails as networks and registries do: cut, slow, 429, 500, read only, logged out."""

from __future__ import annotations

import http.client
import http.server
import socket
import threading
import time
from collections import Counter
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding")


class Proxy(http.server.ThreadingHTTPServer):
    """Forwards to a registry. `faults` are (method, what) in the order in which they happen, each one once.

    `what` is a status, "cut before" or "cut after" (the registry gets none or all of the request, and the client no
    answer), "slow", or "pass" for no fault.
    """

    def __init__(self, registry: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.registry = registry
        self.faults: list[tuple[str, int | str]] = []
        self.always: dict[str, int] = {}
        self.seen: list[str] = []
        # The bytes that left of each blob, by its digest.
        self.blobs: Counter[str] = Counter()

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that have gone."""

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # With a status line also to who tries TLS: that is how an engine notices that there is none.
    default_request_version = "HTTP/1.1"
    server: Proxy

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append(self.command)
        fault: int | str = self.server.always.get(self.command, "")
        if not fault and self.server.faults and self.server.faults[0][0] == self.command:
            fault = self.server.faults.pop(0)[1]
        if isinstance(fault, int):
            self.answer(fault, {"Retry-After": "0"}, b'{"errors": [{"message": "a fault"}]}')
            return
        if fault == "cut before":
            self.cut()
            return
        if fault == "slow":
            time.sleep(2)
        headers = {key: value for key, value in self.headers.items() if key.lower() not in HOP_BY_HOP}
        with closing(http.client.HTTPConnection(self.server.registry, timeout=60)) as upstream:
            upstream.request(self.command, self.path, body, headers)
            found = upstream.getresponse()
            content = found.read()
        if fault == "cut after":
            self.cut()
            return
        self.answer(found.status, dict(found.getheaders()), content)
        if self.command == "GET" and "/blobs/sha256:" in self.path:
            self.server.blobs[self.path.rpartition("/")[2]] += len(content)

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = forward  # noqa: N815 - http.server's names

    def answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for key, value in headers.items():
            if key.lower() not in (*HOP_BY_HOP, "content-length", "date", "server"):
                self.send_header(key, value)
        length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def before(registry: str) -> Iterator[Proxy]:
    """Run a proxy before a registry."""
    with Proxy(registry) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield proxy
        proxy.shutdown()
