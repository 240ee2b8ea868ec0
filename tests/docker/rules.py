"""The rules of the registries that people push to, each from its own documentation or a public report.

All: names are lower case. https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests

GitHub (ghcr.io): a PATCH with a Content-Range of more than 4 MiB is answered with 416; tokens live 300 s; what a token
may do are the scopes of the login (read:packages, write:packages); no layer is taken from another repository; blobs are
read from another host; nothing is deleted.
https://docs.github.com/packages/working-with-a-github-packages-registry/working-with-the-container-registry

Docker Hub: tokens come from another host, live 300 s, and are given also to those who may do less than they ask for;
names have two parts, and library/ is Docker's own; blobs are read from another host; who asks too often gets 429 with
Retry-After. https://distribution.github.io/distribution/spec/auth/token/, https://docs.docker.com/docker-hub/usage/pulls/

Amazon's: name and password with each request; a repository that nobody made is unknown; of an upload in several chunks
all but the first are dropped, and every answer says success.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/docker-push-ecr-image.html

Azure's: a helper gives an identity token, which is exchanged for tokens of short life.
https://learn.microsoft.com/azure/container-registry/container-registry-authentication
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from email.message import Message

USER, PASSWORD, IDENTITY = "me", "let:me-in", "an identity"  # of these registries alone
READING = ("GET", "HEAD")
MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a registry wants of those who push.

    Attributes:
        login: "" for none, "basic", or "bearer" for a token from a server.
        seconds: how long a token lives.
        may: what the login may do.
        chunk: the most bytes of a PATCH with a Content-Range.
        first_chunk_only: whether later chunks of an upload are dropped.
        mounts: whether layers are taken from other repositories.
        parts: how many parts a name has; 0 for any number.
        official: the part of names that nobody may write to.
        made: the only repositories that there are; None for any.
        tokens_elsewhere: whether tokens come from another host.
        reads_elsewhere: whether blobs are read from another host, which refuses logins.
        uploads_elsewhere: whether uploads go to another host, which wants no login.
        retry_after: how long nothing is answered after a 429, in seconds.
    """

    login: str = ""
    seconds: float = 300
    may: tuple[str, ...] = ("pull", "push")
    chunk: int = 0
    first_chunk_only: bool = False
    mounts: bool = True
    parts: int = 0
    official: str = ""
    made: tuple[str, ...] | None = None
    tokens_elsewhere: bool = False
    reads_elsewhere: bool = False
    uploads_elsewhere: bool = False
    retry_after: int = 0


OPEN = Rules()
GITHUB = Rules(login="bearer", chunk=4 * MIB, mounts=False, reads_elsewhere=True)
DOCKER_HUB = Rules(
    login="bearer", parts=2, official="library/", tokens_elsewhere=True, reads_elsewhere=True, retry_after=1
)
AMAZON = Rules(login="basic", first_chunk_only=True, made=())
AZURE = Rules(login="bearer")


class Reply(NamedTuple):
    """An answer."""

    status: int
    headers: dict[str, str]
    content: bytes


class Asked(NamedTuple):
    """A request; `size` is that of its body."""

    method: str
    path: str
    headers: Message
    size: int

    @property
    def repository(self) -> str:
        """The repository that it is about; empty for none."""
        found = re.match(r"/v2/(.+)/(?:manifests|blobs|tags|referrers)/", self.path)
        return found[1] if found else ""


@dataclass(kw_only=True)
class Gate:
    """Lets requests through to a registry, or answers in its place. `address` and `other` are its two hosts."""

    rules: Rules
    address: str
    other: str
    scheme: str = "http"
    # When each token ends, and what it is for.
    tokens: dict[str, tuple[float, str]] = field(default_factory=dict)
    # How each token was asked for, and at which host.
    asked: list[str] = field(default_factory=list)
    # The logins that the other host saw, apart from those for tokens.
    strange: list[str] = field(default_factory=list)
    # Until when nobody is answered, and how many asked meanwhile.
    closed: float = 0
    impatient: int = 0
    # How many chunks each upload has had.
    chunks: Counter[str] = field(default_factory=Counter)

    def judge(self, asked: Asked) -> Reply | None:
        """Return the answer to a request that does not get through, or None."""
        given = asked.headers.get("Authorization", "")
        if asked.headers["Host"] == self.other:
            self.strange.append(given)
            return error(400, "InvalidArgument", "Only one auth mechanism allowed") if given else None
        checks = (self._waiting, self._deleting, self._login, self._named, self._chunk, self._read)
        return next((found for check in checks if (found := check(asked))), None)

    def too_many(self) -> Reply:
        """Return a 429; nothing else is answered until the time that it names."""
        self.closed = max(self.closed, time.monotonic() + self.rules.retry_after)
        found = error(429, "TOOMANYREQUESTS", "You have reached your rate limit.")
        found.headers["Retry-After"] = str(self.rules.retry_after)
        return found

    def token(self, method: str, path: str, headers: Message, body: bytes) -> Reply:
        """Give a token to who has a login."""
        form = parse_qs(body.decode() if method == "POST" else urlsplit(path).query)
        scope = " ".join(form.get("scope", []))
        if method == "POST":
            known = form.get("refresh_token") == [IDENTITY]
            self.asked.append(f"identity {scope}")
        else:
            known = headers.get("Authorization", "") == basic(USER, PASSWORD)
            self.asked.append(f"password {scope}")
        if self.rules.tokens_elsewhere and headers["Host"] != self.other:
            return error(404, "NOT_FOUND", "tokens are somewhere else")
        if not known:
            return Reply(401, {}, b'{"details": "incorrect username or password"}')
        made = secrets.token_hex(8)
        self.tokens[f"Bearer {made}"] = (time.monotonic() + self.rules.seconds, scope)
        # No token lives less than a minute, by the specification; one that ends sooner was made earlier.
        life = max(60, self.rules.seconds)
        issued = datetime.now(tz=UTC) - timedelta(seconds=life - self.rules.seconds)
        content = {"token": made, "access_token": made, "expires_in": life, "issued_at": issued.isoformat()}
        return Reply(200, {"Content-Type": "application/json"}, json.dumps(content).encode())

    def _waiting(self, _: Asked) -> Reply | None:
        if time.monotonic() >= self.closed:
            return None
        self.impatient += 1
        return self.too_many()

    def _deleting(self, asked: Asked) -> Reply | None:
        return error(405, "UNSUPPORTED", "The operation is unsupported.") if asked.method == "DELETE" else None

    def _login(self, asked: Asked) -> Reply | None:
        rules, name, given = self.rules, asked.repository, asked.headers.get("Authorization", "")
        action = "pull" if asked.method in READING else "push"
        allowed = action in rules.may and not (action == "push" and self._is_closed(name))
        if rules.login == "basic":
            if given != basic(USER, PASSWORD):
                return Reply(401, {"WWW-Authenticate": 'Basic realm="this"'}, b"{}")
        elif rules.login == "bearer":
            end, scope = self.tokens.get(given, (0, ""))
            if end < time.monotonic() or (name and not for_this(scope, name, action)):
                host = self.other if rules.tokens_elsewhere else self.address
                wanted = "pull" if action == "pull" else "pull,push"
                challenge = f'Bearer realm="{self.scheme}://{host}/token",service="this"'
                challenge += f',scope="repository:{name}:{wanted}"' if name else ""
                return Reply(401, {"WWW-Authenticate": challenge}, b'{"errors": [{"code": "UNAUTHORIZED"}]}')
        if name and not allowed:
            return error(403, "DENIED", "requested access to the resource is denied")
        return None

    def _named(self, asked: Asked) -> Reply | None:
        name, made = asked.repository, self.rules.made
        if name != name.lower():
            return error(400, "NAME_INVALID", "invalid repository name")
        if name and made is not None and name not in made:
            return error(404, "NAME_UNKNOWN", f"The repository with name '{name}' does not exist in the registry")
        return None

    def _chunk(self, asked: Asked) -> Reply | None:
        rules = self.rules
        if rules.chunk and asked.method == "PATCH" and "Content-Range" in asked.headers and asked.size > rules.chunk:
            return error(416, "BLOB_UPLOAD_INVALID", "blob upload invalid")
        return self._dropped(asked) if rules.first_chunk_only and "/blobs/uploads/" in asked.path else None

    def _dropped(self, asked: Asked) -> Reply | None:
        """Answer a later chunk, and the end of an upload that had one, as if all were well."""
        upload, _, query = asked.path.partition("?")
        self.chunks[upload] += asked.method == "PATCH"
        if self.chunks[upload] <= 1:
            return None
        if asked.method == "PATCH":
            where = {"Location": f"{self.scheme}://{self.address}{asked.path}", "Range": f"0-{asked.size - 1}"}
            return Reply(202, where, b"")
        return Reply(201, {"Docker-Content-Digest": parse_qs(query)["digest"][0]}, b"")

    def _read(self, asked: Asked) -> Reply | None:
        if not (self.rules.reads_elsewhere and asked.method in READING and "/blobs/sha256:" in asked.path):
            return None
        return Reply(307, {"Location": f"{self.scheme}://{self.other}{asked.path}?signature=abc"}, b"")

    def _is_closed(self, name: str) -> bool:
        """Whether nobody can write to a repository of that name."""
        official, parts = self.rules.official, self.rules.parts
        return bool((official and name.startswith(official)) or (parts and len(name.split("/")) != parts))


def for_this(scope: str, name: str, action: str) -> bool:
    """Whether a token that was asked for with a scope is for an action in a repository."""
    parts = (part.removeprefix("repository:").rpartition(":") for part in scope.split())
    return any(meant == name and action in actions.split(",") for meant, _, actions in parts)


def error(status: int, code: str, message: str) -> Reply:
    content = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return Reply(status, {"Content-Type": "application/json"}, content)


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
