"""The one place that talks to the Hugging Face hub: what a repository has, and the bytes of a file.

huggingface_hub's own download keeps no part of a file when a process ends, and looks at no checksum. So the bytes go
through its http_get into a part that is kept, and baker.models.pull checks them before they get a name. That is plain
HTTP and not Xet, which cannot go on in the middle of a file and asks servers that no mirror stands for.
"""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import quote

from httpx2 import HTTPError, InvalidURL, TransportError
from huggingface_hub import constants, errors, set_client_factory
from huggingface_hub.file_download import http_get
from huggingface_hub.utils._headers import build_hf_headers
from huggingface_hub.utils._http import (
    default_client_factory,
    hf_raise_for_status,
    http_backoff,
    parse_ratelimit_headers,
)
from huggingface_hub.utils.tqdm import disable_progress_bars

from baker.errors import NetworkError
from baker.models.environment import hidden
from baker.models.listing import Listing, Reader
from baker.system.units import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from httpx2 import Client, Response

    from baker.models.environment import Access

SECONDS = 30
# Calls in a row that brought nothing; http_get connects up to six times in each.
ATTEMPTS = 2
# What a connection that drops can lose. huggingface_hub's own 10 MB never come where connections are bad.
CHUNK = 1 << 18
# The hub lists up to 1000 files on a page.
PAGES = 1000
RETRIES = 2
# The longest wait in seconds that a hub can ask for; a longer one is the user's to decide.
LONGEST_WAIT = 60
UNAUTHORIZED, FORBIDDEN, TOO_MANY = 401, 403, 429


class Part(Protocol):
    """A file that is written at its end: as much of one as http_get asks for."""

    def tell(self) -> int:
        """Return how many bytes it has."""
        ...

    def write(self, data: bytes) -> int:
        """Append."""
        ...

    def seek(self, position: int) -> int:
        """Go to the start, before it is truncated: the server starts over where it was asked to go on."""
        ...

    def truncate(self) -> int:
        """Drop everything after the position."""
        ...


@dataclass(frozen=True, kw_only=True)
class Hub:
    """A hub and the token that it is asked with, empty for none."""

    endpoint: str
    token: str

    @property
    def shown(self) -> str:
        """The hub's address for messages: without a user and a password."""
        return hidden(self.endpoint)

    def listing(self, repo: str, revision: str = "main") -> Listing:
        """Return what a repository has.

        Raises:
            NetworkError: the hub cannot be reached, does not show the repository to this token, or gives an answer that
                cannot be used.
        """
        read = Reader(hub=self.shown, repo=repo)
        with self._explained(repo):
            answer = self._get(f"{self.endpoint}/api/models/{repo}/revision/{quote(revision, safe='')}", again=())
            commit = read.commit(self._json(answer, repo))
            return Listing(commit=commit, files=read.files(self._pages(repo, commit)))

    def fetch(self, repo: str, commit: str, path: str, size: int, part: Part) -> None:
        """Write the rest of a file to a part, going on after each connection that drops.

        Of a file that is longer than announced, one byte too many is written.

        Raises:
            NetworkError: the connection dropped too often, or the hub does not give the file; what came stays.
        """
        if size > constants.MAX_HTTP_DOWNLOAD_SIZE:
            raise NetworkError(f"{repo}/{path} has {size} bytes: {self.shown} gives files of that size only over Xet")
        url = f"{self.endpoint}/{repo}/resolve/{commit}/{quote(path)}"
        # Neither a rest of a file nor its size is to be had of one that is packed on the way.
        headers = self._headers() | {"Accept-Encoding": "identity"}
        limited = cast("BinaryIO", _Limited(part, size))
        attempts = 0
        with self._explained(repo, path):
            while part.tell() < size:
                before = part.tell()
                try:
                    http_get(url, limited, resume_size=before, headers=headers, expected_size=size)
                except _TooLongError:
                    return
                except errors.HfHubHTTPError:
                    raise
                except (TransportError, OSError) as error:
                    # An OSError with a number is the disk's; http_get raises one without for a size that is wrong.
                    attempts = 1 if part.tell() > before else attempts + 1
                    if attempts >= ATTEMPTS or (isinstance(error, OSError) and error.errno is not None):
                        raise

    def _pages(self, repo: str, commit: str) -> Iterator[object]:
        """Yield the pages of a listing, all of them from the endpoint: mirrors pass on links to huggingface.co."""
        tree = f"{self.endpoint}/api/models/{repo}/tree/{commit}"
        query, seen = "recursive=true", set[str]()
        while query not in seen and len(seen) < PAGES:
            seen.add(query)
            answer = self._get(f"{tree}?{query}", again=(TransportError,))
            yield self._json(answer, repo)
            following = answer.links.get("next", {}).get("url", "")
            if not following:
                return
            query = following.partition("?")[2]
        raise NetworkError(f"{self.shown} lists files of {repo} on pages without an end: nothing was fetched")

    def _get(self, url: str, *, again: tuple[type[Exception], ...]) -> Response:
        """Ask for JSON; after the exceptions in `again`, and after answers that ask to wait, once more."""
        headers = self._headers()
        answer = http_backoff(
            "GET", url, headers=headers, timeout=SECONDS, max_retries=RETRIES, retry_on_exceptions=again
        )
        hf_raise_for_status(answer)
        return answer

    def _headers(self) -> dict[str, str]:
        return build_hf_headers(token=self.token or False)

    def _json(self, answer: Response, repo: str) -> object:
        try:
            return answer.json()
        except ValueError as error:
            raise NetworkError(
                f"{self.shown} answers for {repo} with something that is no JSON: is it a Hugging Face hub, and does "
                "the network ask for a login first?"
            ) from error

    @contextmanager
    def _explained(self, repo: str, path: str = "") -> Iterator[None]:
        """Turn what huggingface_hub raises into one line that says what to do; no line has the token in it."""
        what = f"{repo}/{path}" if path else repo
        try:
            yield
        except errors.OfflineModeIsEnabled as error:
            raise NetworkError(f"{what} was not asked for: HF_HUB_OFFLINE is set") from error
        except errors.HfHubHTTPError as error:
            raise NetworkError(self._refusal(error, repo, what)) from error
        except (HTTPError, InvalidURL, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            kept = "; what came so far is kept, run it again" if path else ""
            raise NetworkError(f"{what}: the connection to {self.shown} failed ({_line(error)}){kept}") from error

    def _refusal(self, error: errors.HfHubHTTPError, repo: str, what: str) -> str:
        code = error.response.status_code
        if isinstance(error, errors.GatedRepoError):
            page = f"{self.shown}/{repo}"
            if self.token:
                return f"{repo} is gated, and the token's account is not let in ({code}): accept its terms at {page}"
            return f"{repo} is gated ({code}): accept its terms at {page}, and set HF_TOKEN to a token of that account"
        if isinstance(error, errors.RepositoryNotFoundError):
            seen = "the token may not see it" if self.token else "it needs a token in HF_TOKEN"
            return f"there is no model {repo} at {self.shown}, or {seen} ({code})"
        if isinstance(error, errors.RevisionNotFoundError | errors.RemoteEntryNotFoundError):
            return f"{self.shown} has no {what} ({code}): has the repository just changed? run it again"
        if code in (UNAUTHORIZED, FORBIDDEN):
            token = "the token in HF_TOKEN" if self.token else "a request without a token in HF_TOKEN"
            return f"{self.shown} refuses {token} for {what} ({code})"
        return f"{self.shown} answers {code} for {what}: run it again later, what came so far is kept"


class _TooLongError(Exception):
    """A file goes on after its announced size."""


class _Limited:
    """A part that takes one byte more than announced and then ends the download."""

    def __init__(self, part: Part, size: int) -> None:
        self._part, self._most = part, size + 1
        self.tell, self.seek, self.truncate = part.tell, part.seek, part.truncate

    def write(self, data: bytes) -> int:
        written = self._part.write(data[: self._most - self._part.tell()])
        if self._part.tell() >= self._most:
            raise _TooLongError
        return written


def _line(error: Exception) -> str:
    return hidden((str(error).splitlines() or [type(error).__name__])[0].rstrip("."))


def connect(access: Access, say: Callable[[str], None]) -> Hub:
    """Return the hub that the environment names. huggingface_hub prints nothing from here on; `say` gets notes."""
    disable_progress_bars()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    constants.DOWNLOAD_CHUNK_SIZE = CHUNK
    hub = Hub(endpoint=access.endpoint, token=access.token)

    def client() -> Client:
        made = default_client_factory()
        made.event_hooks = {**made.event_hooks, "response": [partial(_limit_wait, hub.shown, say)]}
        return made

    set_client_factory(client)
    return hub


def _limit_wait(hub: str, say: Callable[[str], None], answer: Response) -> None:
    """Announce the wait that an answer asks for. huggingface_hub waits however long it is, and says nothing.

    Raises:
        NetworkError: the wait is longer than a minute.
    """
    if answer.is_success or answer.is_redirect:
        return
    asked = answer.headers.get("Retry-After", "")
    if not re.fullmatch("[0-9]{1,9}", asked):
        # A date, or nothing that huggingface_hub can read.
        answer.headers.pop("Retry-After", None)
        asked = ""
    limit = parse_ratelimit_headers(answer.headers) if answer.status_code == TOO_MANY else None
    seconds = limit.reset_in_seconds if limit and limit.remaining == 0 else int(asked or 0)
    if seconds > LONGEST_WAIT:
        raise NetworkError(f"{hub} asks to wait {duration(seconds)}: run it again then, what came so far is kept")
    if seconds:
        say(f"note: {hub} asks to wait {seconds} s")
