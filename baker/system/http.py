"""HTTP: every request that baker itself makes, with time-outs, a few tries, and errors that say what to do.

The library is httpx2, since huggingface-hub brings it along and it reads the system's certificate authorities.
Proxies (HTTP_PROXY, HTTPS_PROXY, NO_PROXY) and SSL_CERT_FILE come from the environment, which httpx2 reads by itself.
"""

from __future__ import annotations

import email.utils
import json
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from baker.errors import LockError, NetworkError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping

    import httpx2

# Seconds: to connect, and between two pieces of an answer.
CONNECT, READ = 10.0, 60.0
TRIES = 5
# All the seconds that one request waits because of Retry-After.
PATIENCE = 60.0
REDIRECTS = 5
AGAIN = (429, 500, 502, 503, 504)
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY = 401, 403, 404, 429
GONE = (404, 410, 451)
FIRST_ERROR = 400


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a server answered in the end. Names of headers are the same in any case.

    `foreign` says that it came from another origin than the one that was asked.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes
    foreign: bool = False

    @property
    def ok(self) -> bool:
        """Whether the status is no error."""
        return self.status < FIRST_ERROR

    @property
    def text(self) -> str:
        """The content as text."""
        return self.content.decode(errors="replace")

    def json(self) -> dict[str, Any]:
        """Return the content as a JSON object.

        Raises:
            NetworkError: it is none, as the page of a hotel's network that answers in place of the server.
        """
        try:
            found = json.loads(self.content)
        except ValueError as error:
            kind = self.headers.get("Content-Type", "") or "unnamed"
            hint = "does a proxy or a login page answer in its place?" if "html" in kind else "is the address right?"
            raise NetworkError(f"{self.url} answers with something that is no JSON (type {kind}): {hint}") from error
        if not isinstance(found, dict):
            raise NetworkError(f"{self.url} answers with JSON of another shape than expected")
        return found


class Http:
    """Connections to servers, kept open for the next request until the block ends.

    Args:
        say: takes a line for people when a request has to wait or is tried again.
        tries: how often a request is made that fails for the moment.
        seconds: the time-out between two pieces of an answer.
        authorities: TLS as a server of its own wants it; None is the system's.
        proxies: whether the proxies of the environment are for these servers.
        transport: what takes the place of the network, in tests.
        wait: waits so many seconds.
    """

    def __init__(
        self,
        *,
        say: Callable[[str], None] = lambda _: None,
        tries: int = TRIES,
        seconds: float = READ,
        authorities: ssl.SSLContext | None = None,
        proxies: bool = True,
        transport: httpx2.BaseTransport | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        import httpx2  # noqa: PLC0415 - 0.2 s, and a build for which nothing has changed asks nobody

        self._say, self._tries, self._wait = say, tries, wait
        timeout = httpx2.Timeout(seconds, connect=min(CONNECT, seconds))
        self._client = httpx2.Client(
            timeout=timeout, verify=authorities or True, trust_env=proxies, transport=transport
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def text(self, url: str, headers: Mapping[str, str] | None = None) -> str:
        """Return what a URL holds, as text.

        Raises:
            LockError: there is no such thing at the source.
            NetworkError: the source cannot be reached, or fails.
        """
        return self.get(url, headers).text

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Return what a URL holds. Raises what text() does."""
        answer = self.ask("GET", url, headers)
        if answer.status in GONE:
            raise LockError(f"{url}: not found; is the name right?")
        if not answer.ok:
            raise NetworkError(f"{url} answers HTTP {answer.status}")
        return answer

    def ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> Answer:
        """Send a request and return the answer, whatever its status is.

        What fails for the moment is asked again: a cut connection, 429 and 5xx. A login in `headers` goes to the
        origin of `url` alone, also where that answers with a redirect.

        Raises:
            NetworkError: the server cannot be reached, or redirects from https to http.
        """
        waited = 0.0
        for attempt in range(1, self._tries + 1):
            last = attempt == self._tries
            pause = 2.0 ** (attempt - 2)
            try:
                answer = self._once(method, url, dict(headers or {}), content)
            except _CutError as error:
                if last:
                    raise NetworkError(f"{url}: {error}; run the same command again") from error
                self._say(f"{url}: {error}; trying again")
            else:
                if answer.status not in AGAIN or last:
                    return answer
                asked = _retry_after(answer.headers)
                if asked:
                    pause = min(asked, PATIENCE - waited)
                    waited += pause
                    if pause <= 0:
                        raise NetworkError(
                            f"{url} answers HTTP {answer.status}, and wants to be asked again in {asked:.0f} seconds: "
                            "run the same command again then"
                        )
                self._say(f"{url} answers HTTP {answer.status}; trying again in {pause:g} seconds")
            self._wait(pause)
        raise AssertionError("unreachable: the last try returns or raises")

    def _once(self, method: str, url: str, headers: dict[str, str], content: bytes | None) -> Answer:
        """Send a request, follow redirects, and return the last answer."""
        import httpx2  # noqa: PLC0415

        try:
            request = self._client.build_request(method, url, headers=headers, content=content)
            first = request.url
            for _ in range(REDIRECTS):
                response = self._client.send(request, follow_redirects=False)
                # httpx2 takes the login away when the origin changes.
                following = response.next_request
                if following is None:
                    return Answer(
                        url=str(response.url),
                        status=response.status_code,
                        headers=response.headers,
                        content=response.content,
                        foreign=_origin(request.url) != _origin(first),
                    )
                if request.url.scheme == "https" and following.url.scheme != "https":
                    raise NetworkError(
                        f"{request.url} redirects to {following.url}, which has no TLS: nothing was sent"
                    )
                if _origin(following.url) != _origin(request.url):
                    following.headers.pop("Authorization", None)
                request = following
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError) as error:
            raise NetworkError(f"{url} cannot be reached: {_reason(error)}") from error
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise NetworkError(f"{url!r} is no address: {error}") from error
        except httpx2.TransportError as error:
            raise _CutError(f"the connection was cut ({_reason(error)})") from error
        except httpx2.HTTPError as error:
            raise NetworkError(f"{url} answers with something that cannot be read: {_reason(error)}") from error
        raise NetworkError(f"{url} redirects more than {REDIRECTS} times")


class _CutError(Exception):
    """A connection that broke after it was made."""


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _reason(error: Exception) -> str:
    """Return what is at the bottom of an error, in a few words."""
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return "there is no such host, or no network (a proxy is named by HTTPS_PROXY)"
    return (str(error).splitlines() or [""])[0].strip() or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds that a server wants to be left alone; 0 where it does not say.

    It names seconds or a date: https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        when = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, (when.astimezone(UTC) - datetime.now(tz=UTC)).total_seconds())
