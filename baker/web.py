"""Asking the outside for small texts over HTTP, with errors that say what to do."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from baker.errors import LockError, NetworkError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message

TIMEOUT = 20
GONE = (404, 410, 451)
DOCKER_HUB = "registry-1.docker.io"


def registry(host: str) -> str:
    """Return the address of a registry's API; a registry on this machine has no TLS."""
    return f"{'http' if host.startswith(('localhost', '127.')) else 'https'}://{host}/v2/"


def text(url: str, headers: Mapping[str, str] | None = None) -> str:
    """Return what a URL holds, as text.

    Raises:
        LockError: there is no such thing at the source.
        NetworkError: the source cannot be reached, or fails.
    """
    return content(url, headers).decode(errors="replace")


def content(url: str, headers: Mapping[str, str] | None = None) -> bytes:
    """Return what a URL holds. Raises what text() does."""
    return _open(url, headers or {}, "GET")[0]


def head(url: str, headers: Mapping[str, str]) -> Message:
    """Return the headers that a URL answers with. Raises what text() does."""
    return _open(url, headers, "HEAD")[1]


def _open(url: str, headers: Mapping[str, str], method: str) -> tuple[bytes, Message]:
    request = urllib.request.Request(url, headers=dict(headers), method=method)  # noqa: S310 - ours or the user's
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            return answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        if error.code in GONE:
            raise LockError(f"{url}: not found; is the name right?") from error
        raise RefusedError(f"{url} answers HTTP {error.code}", error.code, error.headers) from error
    except (urllib.error.URLError, OSError) as error:
        raise NetworkError(f"{url} cannot be reached: {getattr(error, 'reason', error)}") from error


class RefusedError(NetworkError):
    """A source that answers with an error; `code` is HTTP's."""

    def __init__(self, message: str, code: int, headers: Message) -> None:
        super().__init__(message)
        self.code, self.headers = code, headers
