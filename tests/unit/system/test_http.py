"""HTTP: what is tried again, how long it waits and what it says meanwhile."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest

from baker.errors import LockError, NetworkError
from baker.system import http
from baker.system.http import Http

URL = "https://example.com/x"


class Server:
    """Answers in turn; the last answer is for all that follow."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []
        self.waits = []
        self.said = []

    def __call__(self, request):
        self.requests.append(request)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, Exception):
            raise found
        return found

    def http(self):
        return Http(transport=httpx2.MockTransport(self), wait=self.waits.append, say=self.said.append)


def ok(text="here"):
    return httpx2.Response(200, text=text)


@pytest.mark.parametrize(
    "fault",
    [*(httpx2.Response(status) for status in http.AGAIN), httpx2.ReadError("cut"), httpx2.ReadTimeout("slow")],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
def test_what_fails_for_the_moment_is_tried_again_and_said(fault, method):
    server = Server(fault, ok())
    with server.http() as web:
        assert web.ask(method, URL, content=b"y" if method == "PUT" else None).ok
    assert len(server.requests) == 2
    assert [request.content for request in server.requests] == ([b"y"] * 2 if method == "PUT" else [b""] * 2)
    assert len(server.waits) == 1
    assert "trying again" in server.said[0]


def test_back_off_grows_and_ends():
    server = Server(httpx2.Response(503))
    with server.http() as web:
        assert web.ask("GET", URL).status == 503
        with pytest.raises(NetworkError, match="HTTP 503"):
            web.get(URL)
    assert server.waits == [0.5, 1, 2, 4] * 2


def test_a_connection_that_stays_cut():
    server = Server(httpx2.RemoteProtocolError("Server disconnected"))
    with server.http() as web, pytest.raises(NetworkError, match="run the same command again"):
        web.get(URL)
    assert len(server.requests) == http.TRIES


@pytest.mark.parametrize(
    ("after", "waits"),
    [("7", [7.0]), ("0", [0.5]), ("soon", [0.5]), ("", [0.5])],
)
def test_retry_after_is_heeded(after, waits):
    server = Server(httpx2.Response(429, headers={"Retry-After": after}), ok())
    with server.http() as web:
        assert web.text(URL) == "here"
    assert server.waits == waits
    assert "429" in server.said[0]


def test_retry_after_as_a_date():
    later = format_datetime(datetime.now(tz=UTC) + timedelta(seconds=30), usegmt=True)
    server = Server(httpx2.Response(503, headers={"Retry-After": later}), ok())
    with server.http() as web:
        assert web.text(URL) == "here"
    assert 20 < server.waits[0] <= 30


def test_nobody_waits_a_day():
    server = Server(httpx2.Response(429, headers={"Retry-After": "86400"}))
    with server.http() as web, pytest.raises(NetworkError, match="86400 seconds"):
        web.ask("GET", URL)
    assert server.waits == [60]
    assert "60 seconds" in server.said[0]


@pytest.mark.parametrize(
    "error", [httpx2.ConnectError("refused"), httpx2.ConnectTimeout("timed out"), httpx2.ProxyError("403")]
)
def test_a_server_that_cannot_be_reached_is_said_at_once(error):
    server = Server(error)
    with server.http() as web, pytest.raises(NetworkError, match=f"{URL} cannot be reached"):
        web.get(URL)
    assert (len(server.requests), server.waits) == (1, [])


def test_a_host_that_does_not_exist_is_said_so():
    error = httpx2.ConnectError("[Errno -2] Name or service not known")
    error.__cause__ = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    server = Server(error)
    with server.http() as web, pytest.raises(NetworkError, match="no such host, or no network"):
        web.get(URL)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", http.GONE)
def test_what_is_not_there(status):
    with Server(httpx2.Response(status)).http() as web, pytest.raises(LockError, match="is the name right"):
        web.get(URL)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (httpx2.Response(200, html="<html>"), "login page"),
        (httpx2.Response(200, text="hello"), "address right"),
        (httpx2.Response(200, content=b"\xff"), "address right"),
        (httpx2.Response(200, json=[1]), "another shape"),
    ],
)
def test_what_is_no_json(answer, hint):
    with Server(answer).http() as web, pytest.raises(NetworkError, match=hint):
        web.get(URL).json()


def test_a_redirect_takes_the_login_along_within_an_origin_alone():
    login = {"Authorization": "Basic x"}
    server = Server(
        httpx2.Response(302, headers={"Location": "/y"}),
        httpx2.Response(302, headers={"Location": "https://example.net/z"}),
        httpx2.Response(302, headers={"Location": URL}),
        ok(),
    )
    with server.http() as web:
        assert not web.ask("GET", URL, login).foreign
    assert [request.headers.get("Authorization") for request in server.requests] == ["Basic x", "Basic x", None, None]


@pytest.mark.parametrize(("location", "says"), [("http://example.com/x", "has no TLS"), (URL, "redirects more than")])
def test_redirects_that_lead_nowhere(location, says):
    server = Server(httpx2.Response(302, headers={"Location": location}))
    with server.http() as web, pytest.raises(NetworkError, match=says):
        web.get(URL)
    assert len(server.requests) <= http.REDIRECTS


@pytest.mark.parametrize("url", ["", "example.com/x", "ftp://example.com"])
def test_what_is_no_address(url):
    with Http(tries=1) as web, pytest.raises(NetworkError):
        web.get(url)


def test_this_machine_is_asked_without_a_proxy(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.com:3128")
    assert not Http(proxies=False)._client._mounts
    assert Http()._client._mounts
