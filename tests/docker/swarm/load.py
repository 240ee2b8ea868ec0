"""Connects to a service again and again, and beside that keeps one connection open; SIGTERM ends it.

Prints one JSON object: how often each version answered, what went wrong, and what the kept connection heard.
"""

import json
import signal
import socket
import sys
import threading
import time
from collections import Counter
from itertools import groupby

HOST, PORT = sys.argv[1], int(sys.argv[2])
# Seconds.
AT_MOST = 240
PAUSE = 0.02
PATIENCE = 5
stop = threading.Event()


def connect() -> socket.socket:
    """Connect to the first address of the service's name only, so that no other one makes up for it."""
    family, kind, protocol, _, address = socket.getaddrinfo(HOST, PORT, socket.AF_INET, socket.SOCK_STREAM)[0]
    connection = socket.socket(family, kind, protocol)
    connection.settimeout(PATIENCE)
    connection.connect(address)
    return connection


def hear(connection: socket.socket) -> str:
    """Return a line; "closed" for none, the error's name for an error."""
    try:
        return connection.makefile().readline().strip() or "closed"
    except OSError as error:
        return type(error).__name__


def keep(heard: list[str]) -> None:
    """Ask in one connection twice a second until it ends."""
    with connect() as connection:
        while not stop.is_set():
            heard.append(hear(connection))
            stop.wait(0.5)
            try:
                connection.sendall(b"again\n")
            except OSError:
                return


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    heard: list[str] = []
    keeper = threading.Thread(target=keep, args=(heard,), daemon=True)
    keeper.start()
    answers: Counter[str] = Counter()
    end = time.monotonic() + AT_MOST
    while time.monotonic() < end and not stop.wait(PAUSE):
        try:
            with connect() as connection:
                answers[hear(connection)] += 1
        except OSError as error:
            answers[type(error).__name__] += 1
    keeper.join(timeout=PATIENCE)
    json.dump({"answers": answers, "kept": [word for word, _ in groupby(heard)]}, sys.stdout)


main()
