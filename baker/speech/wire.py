"""What both clients share: the address and the key of a server, its messages, and what its refusals mean.

Messages are msgpack maps with a `type`.
Source: batched_asr.rs, py_module.rs and tts.rs of the crate moshi-server 0.6.4.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgpack
import websockets

from baker.errors import EngineError, NetworkError, UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

T = TypeVar("T")

KEY = "public_token"
# An emulated server takes long to answer anything.
PONG_SECONDS = 300
# Samples a second, and samples in a frame of 80 ms.
RATE, FRAME = 24000, 1920
FRAMES_A_SECOND = RATE / FRAME
PAUSE, TRIES = 0.1, 50
POLL = 0.005
UNAUTHORIZED, FORBIDDEN = 401, 403
LOGS = "`docker logs` of its container says more"


class NoSlotError(EngineError):
    """All slots of the server are taken."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where a moshi-server listens: HOST:PORT or a URL with ws:// or wss://, the path of a module, and a key."""

    address: str
    path: str
    key: str = KEY

    @property
    def url(self) -> str:
        """The URL of the module."""
        return f"{self.address if '://' in self.address else f'ws://{self.address}'}{self.path}"


@dataclass(frozen=True, kw_only=True)
class Word:
    """A word, and when it begins and ends, in seconds from the beginning; `stop` is None where nobody knows."""

    text: str
    start: float
    stop: float | None


class Connection:
    """An open websocket that has said `Ready`. Messages are dictionaries."""

    def __init__(self, socket: Any, server: Server) -> None:  # noqa: ANN401 - a connection of websockets
        self._socket, self._server = socket, server

    async def send(self, kind: str, **content: object) -> None:
        """Send a message of a type."""
        message = {"type": kind, **content}
        await self._socket.send(bytes(msgpack.packb(message, use_bin_type=True, use_single_float=True)))

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """Yield messages until the server closes the connection.

        Raises:
            NoSlotError: the server has no slot.
            EngineError: the server reports another error.
        """
        async for raw in self._socket:
            message: dict[str, Any] = msgpack.unpackb(raw)
            if message["type"] == "Error":
                text = str(message.get("message", ""))
                if "no free channels" in text:
                    raise NoSlotError(_no_slot(self._server))
                raise EngineError(f"{self._server.address} reports an error: {text}; {LOGS}")
            yield message


@asynccontextmanager
async def connect(server: Server, query: str = "") -> AsyncIterator[Connection]:
    """Connect, wait for `Ready`, and yield the connection.

    Raises:
        NetworkError: nothing answers there.
        UsageError: the server refuses the key, or has no such path.
        NoSlotError: all slots are taken.
        EngineError: the server ended the connection.
    """
    async with AsyncExitStack() as stack:
        try:
            socket = await stack.enter_async_context(
                websockets.connect(
                    server.url + query,
                    additional_headers={"kyutai-api-key": server.key},
                    proxy=None,
                    max_size=None,
                    ping_timeout=PONG_SECONDS,
                )
            )
            connection = Connection(socket, server)
            async for message in connection.messages():
                if message["type"] == "Ready":
                    break
            else:
                raise NoSlotError(_no_slot(server))
        except websockets.exceptions.InvalidStatus as refused:
            raise _refusal(server, refused.response.status_code) from refused
        except websockets.exceptions.InvalidURI as error:
            raise UsageError(f"{server.address!r} is no address: write HOST:PORT, as in 127.0.0.1:8090") from error
        except (OSError, websockets.exceptions.InvalidHandshake) as error:
            why = str(error) or type(error).__name__
            raise NetworkError(f"no moshi-server answers at {server.address} ({why})") from error
        except websockets.exceptions.ConnectionClosed as closed:
            raise _closed(server) from closed
        try:
            yield connection
        except websockets.exceptions.ConnectionClosed as closed:
            raise _closed(server) from closed


async def once_there_is_room(attempt: Callable[[], Awaitable[T]], tries: int = TRIES) -> T:
    """Try again while the server has no slot.

    That of a client who has just left is free again after the loop's next step, and the health probe takes one for some
    milliseconds.
    """
    for _ in range(tries):
        try:
            return await attempt()
        except NoSlotError:
            await asyncio.sleep(PAUSE)
    return await attempt()


async def until_ready(
    server: Server, seconds: float, check: Callable[[], None] = lambda: None, *, query: str = ""
) -> None:
    """Return when the server has said `Ready`.

    Args:
        server: it may be starting.
        seconds: how long to wait.
        check: is called between looks; it raises when waiting is in vain.
        query: what the URL ends with: text-to-speech answers in messages only when it is asked to.

    Raises:
        EngineError: it did not in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + seconds), connect(server, query):
                return
        except (NetworkError, EngineError, TimeoutError):
            check()
            await asyncio.sleep(POLL)
    raise EngineError(f"{server.address} said no `Ready` in {seconds:.0f} s; {LOGS}")


def _no_slot(server: Server) -> str:
    return f"all slots of {server.address} are taken: wait, or raise batch_size in the config of the server"


def _closed(server: Server) -> Exception:
    return EngineError(f"{server.address} closed the connection; {LOGS}")


def _refusal(server: Server, status: int) -> Exception:
    if status in (UNAUTHORIZED, FORBIDDEN):
        return UsageError(f"{server.address} refuses the key: pass one of authorized_ids in its config with --key")
    return NetworkError(f"{server.url} answers with HTTP status {status}: is a moshi-server there, of this kind?")
