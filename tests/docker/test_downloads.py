"""The script `download`, which fetches what a build needs, with connections that break and answers that are no."""

from __future__ import annotations

import http.server
import os
import socket
import struct
import subprocess
import threading
from contextlib import contextmanager

import pytest

from baker.dockerfile.render import TEMPLATES

SCRIPT = TEMPLATES / "scripts/download"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"


@contextmanager
def answering(*answers: bytes | None):
    """Serve TCP: each connection gets the next answer, None a reset. Yield the port and the requests that came."""
    listening, asked = socket.create_server(("127.0.0.1", 0)), []

    def serve():
        for answer in answers:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                asked.append(connection.recv(65536))
                if answer is None:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1], asked
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def download(*arguments, retries=1):
    return subprocess.run(
        [SCRIPT, *arguments],
        env={"PATH": os.environ["PATH"], "CARGO_NET_RETRY": str(retries)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("way", ["", "--one", "--all"])
@pytest.mark.parametrize("broken", [None, b"", ANSWER[:-2]], ids=["reset", "no answer", "half an answer"])
def test_a_connection_that_breaks_is_tried_again(tmp_path, way, broken):
    with answering(broken, ANSWER) as (port, asked):
        url, file = f"http://127.0.0.1:{port}/file", tmp_path / "file"
        (tmp_path / "list").write_text(f'url = "{url}"\noutput = "{file}"\n')
        done = download(way, tmp_path / "list") if way else download(url, file)
    assert done.returncode == 0, done.stderr
    assert file.read_bytes() == b"hello"
    assert len(asked) == 2


@pytest.mark.parametrize("way", ["--one", "--all"])
def test_a_list_is_tried_again_as_often_as_was_said(tmp_path, way):
    with answering(*[None] * 9) as (port, asked):
        (tmp_path / "list").write_text(f'url = "http://127.0.0.1:{port}/file"\noutput = "{tmp_path}/file"\n')
        done = download(way, tmp_path / "list", retries=2)
    assert done.returncode == 56
    assert len(asked) == 3


def test_a_handshake_that_breaks_is_tried_again_as_often_as_was_said(tmp_path):
    with answering(None, None, None, None) as (port, asked):
        url = f"https://127.0.0.1:{port}/file"
        done = download(url, tmp_path / "file", retries=2)
    assert done.returncode == 35
    assert f"download: {url} failed" in done.stderr
    assert len(asked) == 3


@pytest.mark.parametrize("status", [http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.NOT_FOUND])
def test_an_answer_that_is_no_is_not_asked_for_again(tmp_path, status):
    refusal = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
    with answering(refusal, refusal) as (port, asked):
        done = download(f"http://127.0.0.1:{port}/file", tmp_path / "file")
    assert done.returncode == 22
    assert str(status.value) in done.stderr
    assert len(asked) == 1
