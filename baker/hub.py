"""The one place that talks to the Hugging Face hub: what a repository holds, and the bytes of a file.

huggingface_hub's own download keeps no part of a file when a process ends, and looks at no checksum; so the bytes go
through its http_get into a part that is kept, and baker.pull checks them before they get a name. That is plain HTTP and
not Xet: it can go on in the middle of a file.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from httpx2 import HTTPError, TransportError
from huggingface_hub import HfApi, constants, errors, hf_hub_url
from huggingface_hub.file_download import http_get
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils._headers import build_hf_headers
from huggingface_hub.utils.tqdm import disable_progress_bars

from baker.errors import NetworkError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO

ENDPOINT = "https://huggingface.co"
TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
SECONDS = 30
# Calls in a row that brought nothing; http_get connects up to six times in each.
ATTEMPTS = 2
# What a connection that drops can lose. huggingface_hub's own 10 MB never come where connections are bad.
CHUNK = 1 << 18
UNAUTHORIZED, FORBIDDEN = 401, 403


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file as the hub describes it. `digest` is its sha256, 64 digits, or git's blob id, 40, for small text files."""

    size: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A repository at one commit."""

    commit: str
    files: Mapping[str, Entry]


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
    """A hub and the token that it is asked with; empty for none, and a login that is stored somewhere is not used."""

    endpoint: str
    token: str

    def listing(self, repo: str, revision: str = "main") -> Listing:
        """Return what a repository holds.

        Raises:
            NetworkError: the hub cannot be reached, or does not show the repository to this token.
        """
        with self._explained(repo):
            api = HfApi(endpoint=self.endpoint, token=self.token or False)
            commit = api.model_info(repo, revision=revision, timeout=SECONDS).sha
            if not commit:
                raise NetworkError(f"{self.endpoint} names no commit of {repo}: is it a Hugging Face hub?")
            tree = api.list_repo_tree(repo, recursive=True, revision=commit)
            files = {
                item.path: Entry(size=item.lfs.size, digest=item.lfs.sha256)
                if item.lfs
                else Entry(size=item.size, digest=item.blob_id)
                for item in tree
                if isinstance(item, RepoFile)
            }
        return Listing(commit=commit, files=files)

    def fetch(self, repo: str, commit: str, path: str, size: int, part: Part) -> None:
        """Write the rest of a file to a part, going on after each connection that drops.

        Raises:
            NetworkError: the connection dropped too often, or the hub does not give the file; what came stays.
        """
        url = hf_hub_url(repo, path, revision=commit, endpoint=self.endpoint)
        headers = build_hf_headers(token=self.token or False)
        attempts = 0
        with self._explained(repo, path):
            while part.tell() < size:
                before = part.tell()
                try:
                    http_get(url, cast("BinaryIO", part), resume_size=before, headers=headers, expected_size=size)
                except errors.HfHubHTTPError:
                    raise
                except (TransportError, OSError) as error:
                    # An OSError with a number is the disk's; http_get raises one without for a size that is wrong.
                    attempts = 1 if part.tell() > before else attempts + 1
                    if attempts >= ATTEMPTS or (isinstance(error, OSError) and error.errno is not None):
                        raise

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
        except (HTTPError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            kept = "; what came so far is kept, run it again" if path else ""
            raise NetworkError(f"{what}: the connection to {self.endpoint} failed ({_line(error)}){kept}") from error

    def _refusal(self, error: errors.HfHubHTTPError, repo: str, what: str) -> str:

        code = error.response.status_code
        if isinstance(error, errors.GatedRepoError):
            page = f"{self.endpoint}/{repo}"
            if self.token:
                return f"{repo} is gated, and the token's account is not let in ({code}): accept its terms at {page}"
            return f"{repo} is gated ({code}): accept its terms at {page}, and set HF_TOKEN to a token of that account"
        if isinstance(error, errors.RepositoryNotFoundError):
            seen = "the token may not see it" if self.token else "it needs a token in HF_TOKEN"
            return f"there is no model {repo} at {self.endpoint}, or {seen} ({code})"
        if isinstance(error, errors.RevisionNotFoundError | errors.RemoteEntryNotFoundError):
            return f"{self.endpoint} has no {what} ({code}): has the repository just changed? run it again"
        if code in (UNAUTHORIZED, FORBIDDEN):
            token = "the token in HF_TOKEN" if self.token else "a request without a token in HF_TOKEN"
            return f"{self.endpoint} refuses {token} for {what} ({code})"
        return f"{self.endpoint} answers {code} for {what}: run it again later, what came so far is kept"


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def connect(environment: Mapping[str, str]) -> Hub:
    """Return the hub that an environment names, with the token in it."""
    # Progress and warnings are baker's to print.
    disable_progress_bars()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    constants.DOWNLOAD_CHUNK_SIZE = CHUNK
    token = next((environment[name].strip() for name in TOKENS if environment.get(name, "").strip()), "")
    return Hub(endpoint=environment.get("HF_ENDPOINT", "").rstrip("/") or ENDPOINT, token=token)
