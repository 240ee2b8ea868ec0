"""The images: what they weigh, and how fast they start."""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baker import containers, engine
from baker.bench.devel import SCRIPTS
from baker.bench.measure import Row, alternate, compared, seconds
from baker.bench.speech import load_client
from baker.errors import EngineError
from baker.synthetic import stt_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baker.project import Project

STT, TTS = "baker/stt:latest", "baker/tts:latest"
GIGABYTE = 10**9
LABEL = "dev.baker.bench"
BUDGETS = {STT: 1.35, TTS: 7.6}
# These instructions make a layer, the others only metadata; the line of an imported root has no instruction.
LAYERING = ("RUN", "COPY", "ADD", "WORKDIR")
IN_TURN = SCRIPTS / "in-turn.sh"
PATIENCE = 60.0


@dataclass(frozen=True, kw_only=True)
class Bare:
    """How the binary runs without the start script."""

    binary: str
    library_path: str = "/opt/baker/stubs"

    @property
    def options(self) -> dict[str, Any]:
        """Options of `docker run`."""
        return {
            "entrypoint": ["/usr/bin/tini", "--", self.binary],
            "environment": {"LD_LIBRARY_PATH": self.library_path},
        }


def sizes(source: Project, runs: int) -> Iterator[Row]:
    """Yield each image's unpacked size beside its target, and what both share."""
    del source, runs
    for image, budget in BUDGETS.items():
        present(image)
        size = engine.uncompressed_size(image) / GIGABYTE
        yield Row(what=f"size of {image}", unit="GB", found=size, ratio=size / budget, target=f"{budget} GB")
    yield from shared_layers()


def shared_layers() -> Iterator[Row]:
    """Yield what of the smaller image the larger has too: in a registry, and unpacked.

    A registry keeps a layer once by its digest. A store unpacks it on top of those below, and keeps that once only
    where everything below is the same too.
    """
    ours, theirs = layers(STT), layers(TTS)
    anywhere = [digest for digest in ours if digest in theirs]
    below = [first for first, second in takewhile(lambda pair: pair[0] == pair[1], zip(ours, theirs, strict=False))]
    for where, shared in (("pulled once", anywhere), ("unpacked once", below)):
        size, whole = (sum(ours[digest] for digest in some) / GIGABYTE for some in (shared, ours))
        yield Row(
            what=f"layers of {STT} that {TTS} shares: {where}",
            unit="GB",
            found=size,
            beside=whole,
            ratio=size / whole,
            note=f"{len(shared)} of {len(ours)} layers",
        )


def start(source: Project, runs: int) -> Iterator[Row]:
    """Yield container start to the model loop's `Ready`, and the start script alone, both beside the bare binary."""
    del source
    bare = bare_binary(STT)
    with tiny_model() as folder, engine.connect() as client:
        arguments = ["worker", "--config", "/models/stt.toml", "--cpu"]
        ready = partial(seconds_to_ready, client, folder, arguments)
        yield compared(
            "container start to `Ready`, beside the bare binary",
            alternate(ready, lambda: ready(**bare.options), runs),
            target="≤ 5 % or 100 ms more",
        )
        # The model's files are missing there: the binary ends as soon as it has read its config.
        printed = containers.run_once(
            STT,
            ["/in-turn.sh", str(runs * 3), bare.binary, bare.library_path, *arguments],
            entrypoint="/bin/bash",
            volumes={
                str(IN_TURN): {"bind": "/in-turn.sh", "mode": "ro"},
                f"{folder}/stt.toml": {"bind": "/models/stt.toml", "mode": "ro"},
            },
        )
        rounds = [tuple(int(word) / 1000 for word in line.split()) for line in printed.splitlines()]
        yield compared(
            "script and binary to where it misses its model, beside the binary", [(a, b) for a, b in rounds], unit="ms"
        )


def present(reference: str) -> engine.LocalImage:
    """Return an image, or raise EngineError when there is none of that name."""
    found = engine.image(reference)
    if found is None:
        raise EngineError(f"there is no image {reference} here: run `make images` first")
    return found


def layers(reference: str) -> dict[str, int]:
    """Return the bytes on disk of an image's layers by digest, lowest first."""
    digests = present(reference).layers
    with engine.connect() as client:
        history: Any = client.images.get(reference).history()
    made = [line["Size"] for line in reversed(history) if made_layer(line["CreatedBy"])]
    return dict(zip(digests, made, strict=True))


def made_layer(instruction: str) -> bool:
    """Whether a line of the history is a layer."""
    return not instruction or instruction.removeprefix("/bin/sh -c ").startswith(LAYERING)


def bare_binary(reference: str) -> Bare:
    """Return the binary of the lowest capability that is baked into an image."""
    labels = present(reference).labels
    capabilities = labels.get("dev.baker.capabilities", "").split()
    return Bare(binary=f"/opt/baker/bin/moshi-server-{f'cuda-{capabilities[0]}' if capabilities else 'cpu'}")


@contextmanager
def tiny_model() -> Iterator[Path]:
    """Yield a folder with a tiny model, readable by the image's user."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        stt_model.write_model(Path(folder, "models"), seen_as="/models")
        yield Path(folder, "models")


def seconds_to_ready(client: Any, folder: Path, arguments: list[str], **options: Any) -> float:  # noqa: ANN401
    """Start a container, return the seconds until its model loop answers, and remove it."""

    def run() -> None:
        volumes = {str(folder): {"bind": "/models", "mode": "ro"}}
        ports = {"8080": ("127.0.0.1", None)}
        container = client.containers.run(
            STT, arguments, detach=True, volumes=volumes, ports=ports, labels=[LABEL], **options
        )
        container.reload()
        asyncio.run(said_ready(container.ports["8080/tcp"][0]["HostPort"]))

    try:
        return seconds(run)
    finally:
        # By its label: Ctrl-C may come before its name is known.
        for container in client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True):
            container.remove(force=True, v=True)


async def said_ready(port: str) -> None:
    """Return when the model loop has said `Ready`."""
    import msgpack  # noqa: PLC0415 - of the development dependencies, as tests/synthetic is
    import websockets  # noqa: PLC0415

    clients = load_client()
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        try:
            async with websockets.connect(
                f"ws://127.0.0.1:{port}/api/asr-streaming",
                additional_headers={"kyutai-api-key": clients.KEY},
                proxy=None,
            ) as socket:
                async with asyncio.timeout(PATIENCE):
                    if msgpack.unpackb(await socket.recv())["type"] == "Ready":
                        return
        except (OSError, websockets.exceptions.WebSocketException):
            await asyncio.sleep(0.005)
    raise EngineError(f"{STT} said no `Ready` in {PATIENCE:.0f} s")
