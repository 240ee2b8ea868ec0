"""What a run of the tests has left: processes, and containers, images, volumes and networks in the engine.

Fixtures remove what they make. This is for all that they cannot: a run that is ended in the middle of a fixture, a
worker that is killed, a container that holds an image.
"""

from __future__ import annotations

import gc
import os
import signal
import time
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
from docker.errors import APIError, DockerException

from tests.run import LABELS, PREFIX, RUN, VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PROJECT = "com.docker.compose.project"
# A build or a benchmark that is interrupted tidies up by itself.
PATIENCE = 60


def processes() -> list[int]:
    """Return the programs that this run has started and that still run: they have its name in their environment."""
    mark = f"{VARIABLE}={RUN}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return [pid for pid in found if pid not in _ancestors()]


def _ancestors() -> set[int]:
    """Return this process and those that it descends from."""
    found, pid = set(), os.getpid()
    while pid > 1:
        found.add(pid)
        # The name may have spaces and brackets in it.
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return found


def end_processes(patience: float = PATIENCE) -> None:
    """End what this run has started, as Ctrl-C does; what goes on after that is killed."""
    for number in (signal.SIGINT, signal.SIGKILL):
        for pid in processes():
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        give_up = time.monotonic() + patience
        while processes() and time.monotonic() < give_up:
            time.sleep(0.05)


def remove(client: Any, prefix: str = PREFIX, label: str = RUN) -> list[str]:
    """Remove what a run has left in an engine, and return its names."""
    api = client.api
    marked = {"label": "=".join((next(iter(LABELS)), label))}
    removed = []
    ours = {item["Id"] for item in api.containers(all=True, filters=marked)}
    for item in api.containers(all=True):
        names = [name.lstrip("/") for name in item["Names"] or ()]
        known = (*names, item["Image"], (item["Labels"] or {}).get(PROJECT, ""))
        if item["Id"] in ours or any(name.startswith(prefix) for name in known):
            with suppress(APIError):
                api.remove_container(item["Id"], force=True, v=True)
            removed.append(f"container {names} of {item['Image']}")
    ours = {item["Name"] for item in api.volumes(filters=marked)["Volumes"] or ()}
    for item in api.volumes()["Volumes"] or ():
        if item["Name"] in ours or item["Name"].startswith(prefix):
            with suppress(APIError):
                api.remove_volume(item["Name"], force=True)
            removed.append(f"volume {item['Name']}")
    for item in api.networks():
        if item["Name"].startswith(prefix):
            with suppress(APIError):
                api.remove_network(item["Id"])
            removed.append(f"network {item['Name']}")
    return removed + remove_images(client, prefix)


def images(client: Any, **options: Any) -> list[dict[str, Any]]:
    """List images; the engine answers 404 when another worker removes one meanwhile."""
    for _ in range(20):
        with suppress(APIError):
            return list(client.api.images(**options))
        time.sleep(0.1)
    return list(client.api.images(**options))


def remove_images(client: Any, prefix: str) -> list[str]:
    """Remove the images whose name has `prefix` in it, whichever registry it begins with."""
    tags = [tag for item in images(client) for tag in item["RepoTags"] or () if prefix in tag]
    for tag in tags:
        with suppress(APIError):
            client.api.remove_image(tag, force=True)
    return [f"image {tag}" for tag in tags]


def dangling(client: Any, service: str = "hello") -> set[str]:
    """Return the images of a service that a second build took the tag from; those of tests are all called "hello"."""
    found = images(client, filters={"dangling": True, "label": f"dev.baker.service={service}"})
    return {item["Id"] for item in found}


def remove_dangling(client: Any, service: str = "hello", known: Iterable[str] = ()) -> None:
    """Remove those of a service, but for `known` ones."""
    for image in dangling(client, service).difference(known):
        with suppress(APIError):
            client.api.remove_image(image)


def sweep() -> list[str]:
    """End and remove all that this run has left, and return what that was."""
    end_processes()
    # The SDK does not close a socket at which nobody answers: Python says so when it does.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        removed = _swept()
        gc.collect()
    return removed


def _swept() -> list[str]:
    try:
        with _heedless():
            client = docker.from_env()
            try:
                removed = remove(client)
                remove_dangling(client)
            finally:
                client.close()
    except DockerException:
        # Nothing is left in an engine that is not there.
        return []
    return removed


@contextmanager
def _heedless() -> Iterator[None]:
    """Let nobody interrupt the block."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def heed_signals() -> None:
    """Let SIGTERM and SIGHUP end the tests as Ctrl-C does; so do programs under test, even below nohup.

    That a signal is ignored is inherited; a handler is not.
    """
    for number in SIGNALS:
        signal.signal(number, signal.default_int_handler)
