"""A websocket client for moshi-server, of the standard library alone: RFC 6455, and the MessagePack it speaks."""

from __future__ import annotations

import base64
import math
import os
import socket
import struct
import urllib.parse
from typing import Any

RATE, FRAME, FRAMES_A_SECOND, TRAILING = 24000, 1920, 12.5, 25
LISTEN, SPEAK = "/api/asr-streaming", "/api/tts_streaming"
# Without it the server sends Ogg Opus, and no words.
FORMAT = "?format=PcmMessagePack"
LOUDNESS = {"s": 0.0, "q": 0.1, "l": 0.8}
BINARY, CLOSE, PING, PONG = 2, 8, 9, 10
SHORT, MIDDLE = 125, 65535


class Socket:
    """A connection to a path of a server on this machine."""

    def __init__(self, port: int, path: str, key: str, seconds: float) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        nonce = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {nonce}\r\nSec-WebSocket-Version: 13\r\nkyutai-api-key: {key}\r\n\r\n".encode()
        )
        self._rest = b""
        while b"\r\n\r\n" not in self._rest:
            self._rest += self._more()
        head, self._rest = self._rest.split(b"\r\n\r\n", 1)
        status = head.split(b"\r\n")[0].decode(errors="replace")
        if " 101 " not in status:
            raise ConnectionError(f"the server answers {status}")

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def send(self, message: dict[str, Any]) -> None:
        """Send a message."""
        self._frame(BINARY, packed(message))

    def receive(self) -> dict[str, Any] | None:
        """Return the next message; None at the end."""
        while True:
            opcode, content = self._next()
            if opcode == CLOSE:
                return None
            if opcode == PING:
                self._frame(PONG, content)
            elif opcode == BINARY:
                found, _ = unpacked(content, 0)
                return dict(found)

    def _frame(self, opcode: int, content: bytes) -> None:
        size = len(content)
        if size <= SHORT:
            head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
        elif size <= MIDDLE:
            head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
        # The mask of a client may be any; with zeros the content stays as it is.
        self._socket.sendall(head + bytes(4) + content)

    def _next(self) -> tuple[int, bytes]:
        """Return the next message, which may come in several frames."""
        kind, whole = 0, b""
        while True:
            first, second = self._read(2)
            size = second & 0x7F
            if size > SHORT:
                size = int.from_bytes(self._read(2 if size == SHORT + 1 else 8), "big")
            content = self._read(size)
            opcode = first & 0x0F
            if opcode >= CLOSE:
                return opcode, content
            kind, whole = opcode or kind, whole + content
            if first & 0x80:
                return kind, whole

    def _read(self, size: int) -> bytes:
        while len(self._rest) < size:
            self._rest += self._more()
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def _more(self) -> bytes:
        found = self._socket.recv(65536)
        if not found:
            raise ConnectionError("the server closed the connection")
        return found


def listen(port: int, audio: str, key: str, seconds: float) -> tuple[str, ...]:
    """Send audio ("s5,q9,l3": silent, quiet and loud frames of 80 ms) and return the words."""
    connection = Socket(port, LISTEN, key, seconds)
    try:
        wait_for(connection, "Ready", [])
        sent = 0
        for part in f"{audio},m,s{TRAILING}".split(","):
            if part == "m":
                connection.send({"type": "Marker", "id": 1})
                continue
            for _ in range(int(part[1:])):
                connection.send({"type": "Audio", "pcm": tone(LOUDNESS[part[0]], sent)})
                sent += FRAME
        words: list[str] = []
        wait_for(connection, "Marker", words)
        return tuple(words)
    finally:
        connection.close()


def speak(port: int, voice: str, texts: list[str], key: str, seconds: float) -> dict[str, Any]:
    """Send texts and return what was spoken: its frames as heard() reads them, and its words with their steps."""
    connection = Socket(port, f"{SPEAK}{FORMAT}&voice={urllib.parse.quote(voice)}", key, seconds)
    try:
        wait_for(connection, "Ready", [])
        for text in texts:
            connection.send({"type": "Text", "text": text})
        connection.send({"type": "Eos"})
        frames: list[Any] = []
        words: list[Any] = []
        last = 0.0
        while (message := connection.receive()) is not None:
            if message["type"] == "Audio":
                frames.append(heard(message["pcm"]))
            elif message["type"] == "Text":
                words.append([message["text"], round(message["start_s"] * FRAMES_A_SECOND)])
                last = message["stop_s"] or 0.0
        return {"frames": frames, "words": words, "last_step": round(last * FRAMES_A_SECOND)}
    finally:
        connection.close()


def heard(frame: list[float]) -> list[Any] | None:
    """Return what piece a frame of the synthetic model says and with which voice; None for silence.

    The height of its square wave is the piece, and how often it rises is the voice. A card computes with 10 bits.
    """
    top = max(frame)
    if top < 1 / 256:
        return None
    rises = sum(frame[at] <= 0 < frame[at + 1] for at in range(len(frame) - 1))
    return [round(top * 64) - 1, "A" if rises in (95, 96) else "B" if rises in (15, 16) else f"{rises} rises"]


def ready(port: int, path: str, key: str, seconds: float) -> None:
    """Return when the server says Ready on a path, or raise OSError."""
    connection = Socket(port, path + (FORMAT if path == SPEAK else ""), key, seconds)
    try:
        wait_for(connection, "Ready", [])
    finally:
        connection.close()


def wait_for(connection: Socket, kind: str, words: list[str]) -> None:
    """Read messages up to one of a kind; words go to a list."""
    while (message := connection.receive()) is not None:
        if message["type"] == "Word":
            words.append(str(message["text"]))
        if message["type"] == kind:
            return
    raise ConnectionError(f"the connection ended before {kind}")


def tone(loudness: float, start: int) -> list[float]:
    """Return a frame of a tone of 440 Hz."""
    return [loudness * math.sin(2 * math.pi * 440 * (start + sample) / RATE) for sample in range(FRAME)]


def packed(value: Any) -> bytes:  # noqa: ANN401 - any value of MessagePack
    """Return a map, list, text, small number or float as MessagePack."""
    if isinstance(value, dict):
        return bytes([0x80 | len(value)]) + b"".join(packed(item) for pair in value.items() for item in pair)
    if isinstance(value, list):
        return b"\xdc" + struct.pack("!H", len(value)) + b"".join(map(packed, value))
    if isinstance(value, str):
        return b"\xd9" + bytes([len(value.encode())]) + value.encode()
    if isinstance(value, float):
        return b"\xca" + struct.pack("!f", value)
    return bytes([value])


# https://github.com/msgpack/msgpack/blob/master/spec.md: what each first byte from 0xc0 on begins.
FIXED = {0xC0: None, 0xC2: False, 0xC3: True}
NUMBERS = {
    0xCA: "!f",
    0xCB: "!d",
    0xCC: "!B",
    0xCD: "!H",
    0xCE: "!I",
    0xCF: "!Q",
    0xD0: "!b",
    0xD1: "!h",
    0xD2: "!i",
    0xD3: "!q",
}
SIZES = {
    0xC4: ("bin", 1), 0xC5: ("bin", 2), 0xC6: ("bin", 4), 0xD9: ("str", 1), 0xDA: ("str", 2), 0xDB: ("str", 4),
    0xDC: ("list", 2), 0xDD: ("list", 4), 0xDE: ("map", 2), 0xDF: ("map", 4),
}  # fmt: skip


def unpacked(data: bytes, at: int) -> tuple[Any, int]:
    """Return the value that begins at a place, and the place after it."""
    first, at = data[at], at + 1
    if first < 0x80 or first >= 0xE0:
        return (first if first < 0x80 else first - 256), at
    if first in FIXED:
        return FIXED[first], at
    if first in NUMBERS:
        size = struct.calcsize(NUMBERS[first])
        return struct.unpack_from(NUMBERS[first], data, at)[0], at + size
    if first in SIZES:
        kind, width = SIZES[first]
        size, at = int.from_bytes(data[at : at + width], "big"), at + width
    else:
        kind = "map" if first < 0x90 else "list" if first < 0xA0 else "str"
        size = first & (0x1F if kind == "str" else 0x0F)
    if kind in ("bin", "str"):
        content = data[at : at + size]
        return (content.decode() if kind == "str" else content), at + size
    items = []
    for _ in range(size * (2 if kind == "map" else 1)):
        item, at = unpacked(data, at)
        items.append(item)
    return ({items[each]: items[each + 1] for each in range(0, len(items), 2)} if kind == "map" else items), at
