"""A stand-in of the Hugging Face hub's HTTP API, as far as a download needs it, with faults on demand.

As on the hub, large files are answered with a redirect to another host, which must not see the token, and name the Xet
storage that a client may take instead: https://huggingface.co/docs/xet/en/download-protocol. The list of files comes in
pages with a Link to the next: https://huggingface.co/docs/hub/en/api.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = 2
PASS = "let-me-in"  # noqa: S105 - of this hub alone
LARGE = 1000
CHUNK = 4096


@dataclass(kw_only=True)
class Request:
    method: str
    host: str
    path: str
    range: str
    token: str


@dataclass
class Hub:
    """Repositories by name, each a mapping of paths to contents; and what goes wrong.

    Attributes:
        commits: the commit of each repository's main, 40 times a digit.
        drops: by path, after how many bytes each of the next connections drops; below 0 it drops for ever.
        false: contents that are given in place of the announced ones, by path.
        gated: repositories that want the token "let-me-in".
        ranges: whether a request for the rest of a file gets it, or everything.
        served: bytes of content that were sent, by path.
        listed: by path, what the list of files says in place of the truth.
        named: the address that the hub believes to have, as mirrors pass it on: links name it.
        prefix: the path that all addresses begin with, as at a mirror in Artifactory.
        page: an HTML page that a network's login answers everything with.
        busy: by a part of the path, the headers of "429 Too Many Requests" for the next requests.
    """

    repos: dict[str, dict[str, bytes]] = field(default_factory=dict)
    commits: dict[str, str] = field(default_factory=dict)
    drops: dict[str, list[int]] = field(default_factory=dict)
    false: dict[str, bytes] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    ranges: bool = True
    served: dict[str, int] = field(default_factory=dict)
    listed: dict[str, dict[str, Any]] = field(default_factory=dict)
    named: str = ""
    prefix: str = ""
    page: str = ""
    busy: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    port: int = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    def gets(self, path: str) -> list[Request]:
        """The requests for a file's content."""
        return [one for one in self.requests if one.path.startswith("/cdn/") and one.path.endswith(f"/{path}")]


def large(content: bytes) -> bool:
    return len(content) >= LARGE


def blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest() if large(content) else blob_id(content)


@contextmanager
def serve(hub: Hub) -> Iterator[None]:
    """Serve a hub on 127.0.0.1, and its content delivery on localhost, while a block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer(hub, self)

        def do_HEAD(self) -> None:
            answer(hub, self)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", hub.port), Handler)
    server.daemon_threads = True
    hub.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(hub: Hub, to: BaseHTTPRequestHandler) -> None:
    url = urlsplit(to.path)
    path = unquote(url.path.removeprefix(hub.prefix))
    token = to.headers.get("Authorization", "").removeprefix("Bearer ")
    hub.requests.append(
        Request(
            method=to.command,
            host=to.headers["Host"].partition(":")[0],
            path=path,
            range=to.headers.get("Range", ""),
            token=token,
        )
    )
    if hub.page:
        send(to, 200, hub.page.encode(), {"Content-Type": "text/html"})
    elif waits := next((waits for part, waits in hub.busy.items() if part in path and waits), None):
        say(to, 429, {"error": "Too many requests"}, waits.pop(0))
    elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/revision/(.+)", path):
        if repo := repository(hub, to, *found.groups()):
            say(to, 200, {"id": repo, "sha": hub.commits[repo], "siblings": [], "tags": []})
    elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/([^/]+)", path):
        if repo := repository(hub, to, *found.groups()):
            tree(hub, to, repo, int(parse_qs(url.query).get("cursor", ["0"])[0]))
    elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
        if repo := repository(hub, to, found[1], found[2]):
            resolve(hub, to, repo, found[3], token)
    elif found := re.fullmatch(r"/cdn/([^/]+/[^/]+)/(.+)", path):
        content(hub, to, found[1], found[2], {})
    else:
        say(to, 404, {"error": "Not Found"})


def repository(hub: Hub, to: BaseHTTPRequestHandler, repo: str, revision: str) -> str:
    if repo not in hub.repos:
        say(to, 401, {"error": "Invalid username or password."}, {"X-Error-Code": "RepoNotFound"})
    elif revision not in ("main", hub.commits[repo]):
        say(to, 404, {"error": "Invalid rev id"}, {"X-Error-Code": "RevisionNotFound"})
    else:
        return repo
    return ""


def tree(hub: Hub, to: BaseHTTPRequestHandler, repo: str, start: int) -> None:
    entries: list[dict[str, Any]] = []
    folders = {path.rpartition("/")[0] for path in hub.repos[repo]} - {""}
    entries += [{"type": "directory", "oid": "0" * 40, "size": 0, "path": folder} for folder in folders]
    for path, data in hub.repos[repo].items():
        entry: dict[str, Any] = {"type": "file", "oid": blob_id(data), "size": len(data), "path": path}
        if large(data):
            entry["oid"] = blob_id(b"a pointer")
            entry["lfs"] = {"oid": digest(data), "size": len(data), "pointerSize": 134}
            entry["xetHash"] = "e" * 64
        entries.append(entry | hub.listed.get(path, {}))
    more = start + PAGE < len(entries)
    url = f"{hub.named or hub.endpoint}/api/models/{repo}/tree/{hub.commits[repo]}?recursive=true&cursor={start + PAGE}"
    link = f'<{url}>; rel="next"'
    say(to, 200, entries[start : start + PAGE], {"Link": link} if more else {})


def resolve(hub: Hub, to: BaseHTTPRequestHandler, repo: str, path: str, token: str) -> None:
    data = hub.repos[repo].get(path)
    if data is None:
        say(to, 404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound"})
    elif repo in hub.gated and token != PASS:
        say(to, 403 if token else 401, {"error": "gated"}, {"X-Error-Code": "GatedRepo"})
    else:
        head = {"X-Repo-Commit": hub.commits[repo], "ETag": f'"{digest(data)}"'}
        if large(data):
            head |= {"X-Linked-Size": str(len(data)), "X-Linked-ETag": f'"{digest(data)}"'}
            xet = f"{hub.named or hub.endpoint}/api/models/{repo}/xet-read-token/{hub.commits[repo]}"
            head |= {"X-Xet-Hash": "e" * 64, "Link": f'<{xet}>; rel="xet-auth"'}
            say(to, 302, {}, {**head, "Location": f"http://localhost:{hub.port}{hub.prefix}/cdn/{repo}/{path}"})
        else:
            content(hub, to, repo, path, head)


def content(hub: Hub, to: BaseHTTPRequestHandler, repo: str, path: str, head: dict[str, str]) -> None:
    data = hub.false.get(path, hub.repos[repo][path])
    start, code = 0, 200
    if hub.ranges and (found := re.fullmatch(r"bytes=(\d+)-", to.headers.get("Range", ""))):
        start, code = int(found[1]), 206
        head = {**head, "Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
    begin(to, code, {**head, "Content-Length": str(len(data) - start), "Accept-Ranges": "bytes"})
    if to.command == "HEAD":
        return
    drops = hub.drops.get(path)
    limit = None if not drops else abs(drops[0]) if drops[0] < 0 else drops.pop(0)
    end = len(data) if limit is None else min(len(data), start + limit)
    try:
        for at in range(start, end, CHUNK):
            to.wfile.write(data[at : min(at + CHUNK, end)])
            hub.served[path] = hub.served.get(path, 0) + min(CHUNK, end - at)
    except (BrokenPipeError, ConnectionResetError):
        # Who asked has had enough.
        to.close_connection = True
        return
    if limit is not None:
        to.close_connection = True
        to.wfile.flush()
        to.connection.shutdown(socket.SHUT_RDWR)


def say(to: BaseHTTPRequestHandler, code: int, body: object, head: dict[str, str] | None = None) -> None:
    send(to, code, json.dumps(body).encode(), {"Content-Type": "application/json", **(head or {})})


def send(to: BaseHTTPRequestHandler, code: int, data: bytes, head: dict[str, str]) -> None:
    begin(to, code, {"Content-Length": str(len(data)), **head})
    if to.command != "HEAD":
        to.wfile.write(data)


def begin(to: BaseHTTPRequestHandler, code: int, head: dict[str, str]) -> None:
    to.send_response(code)
    for name, value in head.items():
        to.send_header(name, value)
    to.end_headers()
