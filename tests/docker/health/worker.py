"""A stand-in for `moshi-server worker`: pages, websocket, slots and model loop, as far as a probe sees them.

What it imitates is in moshi-server 0.6.4's batched_asr.rs, py_module.rs and metrics.rs. Its clients are made up: they
take slots, and send or stay silent. What happens to it is told by files in /tmp: `die` ends the loop, `stall` holds it
in a step for as long as the file is there.
"""

from __future__ import annotations

import argparse
import base64
import dataclasses
import hashlib
import http.server
import json
import queue
import socket
import threading
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from io import BufferedIOBase

DIE, STALL = Path("/tmp/die"), Path("/tmp/stall")
SLOTS = 2


def become_tokio() -> None:
    """Take the name that tokio's workers, its blocking threads and their children carry."""
    Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text("tokio-runtime-w")


def msgpack(kind: str, message: str | None = None) -> bytes:
    """A map of short strings with the key `type`."""
    fields = {"type": kind} if message is None else {"type": kind, "message": message}
    text = b"".join(bytes([0xA0 | len(word)]) + word.encode() for pair in fields.items() for word in pair)
    return bytes([0x80 | len(fields)]) + text


@dataclasses.dataclass(eq=False, kw_only=True)
class Channel:
    """A taken slot. `outbox` carries what the client gets, None for the end of the connection."""

    sends: bool = False
    gone: bool = False
    inbox: queue.SimpleQueue[str] = dataclasses.field(default_factory=queue.SimpleQueue)
    outbox: queue.SimpleQueue[bytes | None] = dataclasses.field(default_factory=queue.SimpleQueue)


class Model:
    """The slots and the loop over them."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.channels: list[Channel | None] = [None] * SLOTS
        self.lock = threading.Lock()
        self.connects = self.steps = self.ended = 0

    def take(self, *, sends: bool = False) -> Channel | None:
        with self.lock:
            for index, channel in enumerate(self.channels):
                if channel is None:
                    taken = self.channels[index] = Channel(sends=sends)
                    return taken
        return None

    def used(self) -> int:
        return sum(channel is not None for channel in self.channels)

    def loop(self) -> None:
        become_tokio()
        while not DIE.exists():
            while STALL.exists():
                time.sleep(0.5)
            with self.lock:
                work = self.pass_over()
            if work:
                time.sleep(0.02)
                self.steps += 1
            else:
                time.sleep(0.002)

    def pass_over(self) -> bool:
        """One look at every slot; whether there is anything to compute."""
        work = False
        for index, channel in enumerate(self.channels):
            if channel is None:
                continue
            # The real TTS loop calls Python for every slot that is taken, silent or not.
            work = work or channel.sends or self.kind == "py"
            message = "" if channel.inbox.empty() else channel.inbox.get()
            if message == "init":
                channel.outbox.put(msgpack("Ready"))
            if channel.gone or message == "eos":
                channel.outbox.put(None)
                self.channels[index] = None
                self.ended += 1
        return work


def read_frame(stream: BufferedIOBase) -> tuple[int, bytes]:
    head = stream.read(2)
    if len(head) < 2:
        return 8, b""
    mask = stream.read(4)
    return head[0] & 15, bytes(byte ^ mask[i % 4] for i, byte in enumerate(stream.read(head[1] & 127)))


class Handler(http.server.BaseHTTPRequestHandler):
    """The pages and the websocket."""

    protocol_version = "HTTP/1.1"
    model: Model
    config: dict[str, Any]
    path_of_module: str

    def do_GET(self) -> None:
        prefix = {"batched_asr": "asr", "py": "py"}[self.model.kind]
        steps = {"batched_asr": "asr_model_step_duration_count", "py": 'py_total_steps{handler="all"}'}[self.model.kind]
        match self.path.partition("?")[0]:
            case "/api/build_info":
                self.page("{}")
            case "/api/modules_info":
                slots = {"used_slots": str(self.model.used()), "total_slots": str(SLOTS)}
                self.page(json.dumps([{"type": self.model.kind, "path": self.path_of_module, **slots}]))
            case "/metrics":
                lines = [f"{steps} {self.model.steps}", f'{prefix}_connect{{handler="all"}} {self.model.connects}']
                self.page("\n".join(lines) + "\n")
            case path if path == self.path_of_module:
                self.websocket()
            case _:
                self.send_error(404)

    def page(self, body: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def websocket(self) -> None:
        if self.headers.get("kyutai-api-key") not in self.config["authorized_ids"]:
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", "websocket")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())  # noqa: S324 - RFC 6455 wants it
        self.end_headers()
        self.close_connection = True
        self.model.connects += 1
        channel = self.model.take()
        if channel is None:
            self.frame(2, msgpack("Error", "no free channels"))
            self.frame(8)
            return
        if self.model.kind == "py":
            channel.outbox.put(msgpack("Ready"))
        else:
            channel.inbox.put("init")
        sender = threading.Thread(target=self.send_loop, args=(channel,), daemon=True)
        sender.start()
        while True:
            opcode, payload = read_frame(self.rfile)
            if opcode == 8:
                break
            if payload == b"\0":
                channel.inbox.put("eos")
        channel.gone = True
        sender.join()

    def send_loop(self, channel: Channel) -> None:
        while (message := channel.outbox.get()) is not None:
            self.frame(2, message)
        if self.model.kind == "py":
            self.frame(8)

    def frame(self, opcode: int, payload: bytes = b"") -> None:
        try:
            self.wfile.write(bytes([0x80 | opcode, len(payload)]) + payload)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name for it
        pass


class Server(http.server.ThreadingHTTPServer):
    """As deep a queue as moshi-server's, for impatient clients."""

    daemon_threads = True
    address_family = socket.AF_INET
    request_queue_size = 128


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--cpu", action="store_true", help="nothing else is here")
    parser.add_argument("--clients", type=int, default=0)
    parser.add_argument("--silent", action="store_true", help="clients that send nothing")
    parser.add_argument("--load", type=float, default=0.3, help="seconds until the model is there")
    options = parser.parse_args()
    Handler.config = tomllib.loads(options.config.read_text())
    module = next(iter(Handler.config["modules"].values()))
    Handler.path_of_module = module["path"]
    Handler.model = Model({"BatchedAsr": "batched_asr", "Py": "py"}[module["type"]])
    threading.Thread(target=become_tokio_worker, daemon=True).start()
    time.sleep(options.load)
    for _ in range(options.clients):
        Handler.model.take(sends=not options.silent)
    threading.Thread(target=Handler.model.loop, daemon=True).start()
    Server(("0.0.0.0", options.port), Handler).serve_forever()  # noqa: S104 - in a container of its own


def become_tokio_worker() -> None:
    """Wake as often as a worker whose clients keep sending: nobody shall take it for a model loop."""
    become_tokio()
    while True:
        time.sleep(0.002)


if __name__ == "__main__":
    main()
