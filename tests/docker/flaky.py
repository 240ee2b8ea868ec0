"""A proxy before a registry that has the faults of networks, and the rules of the registries that people push to."""

from __future__ import annotations

import http.client
import http.server
import re
import socket
import threading
import time
from collections import Counter
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from tests.docker.rules import OPEN, Asked, Gate, Reply, Rules, error

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding")
TOO_MANY = 429


class Proxy(http.server.ThreadingHTTPServer):
    """Forwards to a registry. `faults` are (method, what) in the order in which they happen, each one once.

    `what` is a status, "cut before" or "cut after" (the registry gets none or all of the request, and the client no
    answer), "slow", or "pass" for no fault.
    """

    def __init__(self, registry: str, rules: Rules, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        super().__init__((host, 0), Handler)
        self.registry, self.rules, self.host, self.tls = registry, rules, host, tls
        self.gate = Gate(rules=rules, address=self.address, other=self.other, scheme="https" if tls else "http")
        self.faults: list[tuple[str, int | str]] = []
        self.always: dict[str, int] = {}
        self.seen: list[str] = []
        # The bytes that left of each blob, by its digest, and all that came.
        self.blobs: Counter[str] = Counter()
        self.received = 0

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Greet in the thread of a connection: nobody waits for another one's handshake."""
        if not self.tls:
            super().finish_request(request, client_address)
            return
        with self.tls.wrap_socket(request, server_side=True) as greeted:
            super().finish_request(greeted, client_address)

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that have gone."""

    @property
    def address(self) -> str:
        return f"{self.host}:{self.server_port}"

    @property
    def other(self) -> str:
        return f"localhost:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # With a status line also to who tries TLS: that is how an engine notices that there is none.
    default_request_version = "HTTP/1.1"
    server: Proxy

    def forward(self) -> None:
        body, server = self.body(), self.server
        if self.path.startswith("/token"):
            self.answer(server.gate.token(self.command, self.path, self.headers, body))
            return
        if refusal := server.gate.judge(Asked(self.command, self.path, self.headers, len(body))):
            self.answer(refusal)
            return
        server.seen.append(self.command)
        fault: int | str = server.always.get(self.command, "")
        if not fault and server.faults and server.faults[0][0] == self.command:
            fault = server.faults.pop(0)[1]
        if fault == TOO_MANY:
            self.answer(server.gate.too_many())
        elif isinstance(fault, int):
            code = {401: "UNAUTHORIZED", 403: "DENIED"}.get(fault, "UNKNOWN")
            self.answer(error(fault, code, "a fault"))
        elif fault == "cut before":
            self.cut()
        else:
            self.hand_on(body, fault)

    def hand_on(self, body: bytes, fault: str) -> None:
        """Ask the registry, and answer with what it says."""
        server = self.server
        if fault == "slow":
            time.sleep(2)
        server.received += len(body)
        headers = {key: value for key, value in self.headers.items() if key.lower() not in HOP_BY_HOP}
        headers.pop("Authorization", None)
        # Without a repository to take a layer from, this begins an upload.
        path = self.path if server.rules.mounts else re.sub(r"\?.*\bmount=.*", "", self.path)
        with closing(http.client.HTTPConnection(server.registry, timeout=60)) as upstream:
            upstream.request(self.command, path, body, headers)
            found = upstream.getresponse()
            content = found.read()
        if fault == "cut after":
            self.cut()
            return
        told = dict(found.getheaders())
        if server.tls:
            told = {key: value.replace("http://", "https://", 1) for key, value in told.items()}
        if server.rules.uploads_elsewhere and "/uploads/" in told.get("Location", ""):
            told["Location"] = told["Location"].replace(server.address, server.other)
        self.answer(Reply(found.status, told, content))
        if self.command == "GET" and "/blobs/sha256:" in self.path:
            server.blobs[self.path.rpartition("/")[2]] += len(content)

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = forward  # noqa: N815 - http.server's names

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def answer(self, reply: Reply) -> None:
        status, headers, content = reply
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
def before(
    registry: str, rules: Rules = OPEN, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> Iterator[Proxy]:
    """Run a proxy before a registry, on an address of this machine."""
    with Proxy(registry, rules, host, tls) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield proxy
        proxy.shutdown()
