"""The images: what they weigh, and how fast they start."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baker.bench.images.timing import Row, alternate, compared, seconds
from baker.bench.startup.devel import SCRIPTS
from baker.dockerfile import bakefile
from baker.dockerfile.labels import CAPABILITIES
from baker.engine import containers
from baker.errors import EngineError
from baker.speech import transcription, wire
from baker.synthetic import stt_model
from baker.system.units import GIGABYTE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baker.build.request import Request
    from baker.engine.client import Docker
    from baker.engine.interface import LocalImage

LABEL = "dev.baker.bench"
IN_TURN = SCRIPTS / "in-turn.sh"
PATIENCE = 60.0


@dataclass(frozen=True, kw_only=True)
class Bare:
    """How the binary runs without the start script."""

    binary: str
    stubs: str = "/opt/baker/stubs"

    @property
    def options(self) -> dict[str, Any]:
        """Options of `docker run`."""
        return {
            "entrypoint": ["/usr/bin/tini", "--", self.binary],
            "environment": {"LD_LIBRARY_PATH": self.stubs},
        }


def sizes(source: Request, engine: Docker, runs: int) -> Iterator[Row]:
    """Yield each image's unpacked size beside its target, and what both share."""
    del runs
    for service in source.services:
        image, budget = name(source, service.name), service.image.budget / GIGABYTE
        present(engine, image)
        size = engine.uncompressed_size(image) / GIGABYTE
        ratio, target = (size / budget, f"{budget:g} GB") if budget else (None, "")
        yield Row(what=f"size of {image}", unit="GB", found=size, ratio=ratio, target=target)
    yield from shared_layers(engine, name(source, "stt"), name(source, "tts"))


def shared_layers(engine: Docker, smaller: str, larger: str) -> Iterator[Row]:
    """Yield what of the smaller image the larger has too: in a registry, and unpacked.

    A registry keeps a layer once by its digest. A store unpacks it on top of those below, and keeps that once only
    where everything below is the same too.
    """
    ours, theirs = layers(engine, smaller), layers(engine, larger)
    anywhere = [digest for digest in ours if digest in theirs]
    below = [first for first, second in takewhile(lambda pair: pair[0] == pair[1], zip(ours, theirs, strict=False))]
    for where, shared in (("pulled once", anywhere), ("unpacked once", below)):
        size, whole = (sum(ours[digest] for digest in some) / GIGABYTE for some in (shared, ours))
        yield Row(
            what=f"layers of {smaller} that {larger} shares: {where}",
            unit="GB",
            found=size,
            beside=whole,
            ratio=size / whole,
            note=f"{len(shared)} of {len(ours)} layers",
        )


def start(source: Request, engine: Docker, runs: int) -> Iterator[Row]:
    """Yield container start to the model loop's `Ready`, and the start script alone, both beside the bare binary."""
    image = name(source, "stt")
    bare = bare_binary(engine, image)
    with tiny_model() as folder:
        arguments = ["worker", "--config", "/models/stt.toml", "--cpu"]
        ready = partial(seconds_to_ready, engine.sdk, image, folder, arguments)
        yield compared(
            "container start to `Ready`, beside the bare binary",
            alternate(ready, lambda: ready(**bare.options), runs),
            target="≤ 5 % or 100 ms more",
        )
        # The model's files are missing there: the binary ends as soon as it has read its config.
        printed = containers.run_once(
            engine,
            image,
            ["/in-turn.sh", str(runs * 3), bare.binary, bare.stubs, *arguments],
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


def name(source: Request, service: str) -> str:
    """Return what the image of a service is called."""
    return f"{bakefile.image_name(source.settings, service)}:{source.settings.tag}"


def present(engine: Docker, reference: str) -> LocalImage:
    """Return an image, or raise EngineError when there is none of that name."""
    found = engine.image(reference)
    if found is None:
        raise EngineError(f"there is no image {reference} here: run `make images` first")
    return found


def layers(engine: Docker, reference: str) -> dict[str, int]:
    """Return the bytes on disk of an image's layers by digest, lowest first."""
    return {layer.digest: layer.size for layer in engine.layers(present(engine, reference).id)}


def bare_binary(engine: Docker, reference: str) -> Bare:
    """Return the binary of the lowest capability that is baked into an image."""
    labels = present(engine, reference).labels
    capabilities = labels.get(CAPABILITIES, "").split()
    return Bare(binary=f"/opt/baker/bin/moshi-server-{f'cuda-{capabilities[0]}' if capabilities else 'cpu'}")


@contextmanager
def tiny_model() -> Iterator[Path]:
    """Yield a folder with a tiny model, readable by the image's user."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        stt_model.write_model(Path(folder, "models"), seen_as="/models")
        yield Path(folder, "models")


def seconds_to_ready(client: Any, image: str, folder: Path, arguments: list[str], **options: Any) -> float:  # noqa: ANN401
    """Start a container, return the seconds until its model loop answers, and remove it."""

    def run() -> None:
        volumes = {str(folder): {"bind": "/models", "mode": "ro"}}
        ports = {"8080": ("127.0.0.1", None)}
        container = client.containers.run(
            image, arguments, detach=True, volumes=volumes, ports=ports, labels=[LABEL], **options
        )
        container.reload()
        address = f"127.0.0.1:{container.ports['8080/tcp'][0]['HostPort']}"
        asyncio.run(wire.until_ready(wire.Server(address=address, path=transcription.PATH), PATIENCE))

    try:
        return seconds(run)
    finally:
        # By its label: Ctrl-C may come before its name is known.
        for container in client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True):
            container.remove(force=True, v=True)
