"""Connects to the service again and again, and beside that keeps one connection open; SIGTERM ends it.

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
AT_MOST = 240  # seconds
PAUSE = 0.02
PATIENCE = 5
stop = threading.Event()


def hear(connection: socket.socket) -> str:
    """Return a line, or what stands for none."""
    try:
        return connection.makefile().readline().strip() or "closed"
    except OSError as error:
        return type(error).__name__


def keep(heard: list[str]) -> None:
    """Ask in one connection twice a second until it ends."""
    with socket.create_connection((HOST, PORT), timeout=PATIENCE) as connection:
        while True:
            heard.append(hear(connection))
            if heard[-1].islower() is False or heard[-1] == "closed" or stop.wait(0.5):
                return
            try:
                connection.sendall(b"again\n")
            except OSError:
                return


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    heard: list[str] = []
    keeper = threading.Thread(target=keep, args=(heard,), daemon=True)
    keeper.start()
    answers, end = Counter(), time.monotonic() + AT_MOST
    while time.monotonic() < end and not stop.wait(PAUSE):
        try:
            with socket.create_connection((HOST, PORT), timeout=PATIENCE) as connection:
                answers[hear(connection)] += 1
        except OSError as error:
            answers[type(error).__name__] += 1
    keeper.join(timeout=PATIENCE)
    print(json.dumps({"answers": answers, "kept": [word for word, _ in groupby(heard)]}))


main()
