"""An image as a person wants to see it: what it is, what its layers are, and how it is run."""

from __future__ import annotations

import posixpath
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker.build import receipt
from baker.config import platforms
from baker.dockerfile import labels
from baker.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from baker.build.receipt import Receipt
    from baker.config.project import Project
    from baker.config.service import Service
    from baker.engine.interface import Engine, Layer, LocalImage

CACHE = "HF_HOME"
FACTS = {
    "service": labels.SERVICE,
    "crate": labels.CRATE,
    "version": labels.CRATE_VERSION,
    "base": labels.BASE,
    "base image": labels.BASE_NAME,
    "accel": labels.ACCEL,
    "CUDA": labels.CUDA,
    "Python": labels.PYTHON,
    "commit": labels.REVISION,
}


@dataclass(frozen=True, kw_only=True)
class LayerView:
    """One layer.

    Attributes:
        digest: of its files, unpacked.
        size: its bytes, unpacked.
        made_by: the instruction that put it there.
        shared: the names of other local images that have it.
        changed: whether the build before had no such layer; None where that is not known.
    """

    digest: str
    size: int
    made_by: str
    shared: tuple[str, ...]
    changed: bool | None


@dataclass(frozen=True, kw_only=True)
class ImageView:
    """One image.

    Attributes:
        name: what it is called.
        id: its digest.
        size: the bytes of its layers, unpacked.
        facts: what it was made of, by what people call it.
        cards: which cards it runs on, in words.
        driver: the oldest driver; empty where it needs none.
        mounts: the folders that outlive a container.
        ports: those that it listens on, as in "8080/tcp".
        user: the user that it runs as.
        run: the command that runs it.
        run_on_cpu: the command that runs it without a card; empty where `run` needs none.
        layers: its layers, largest first.
    """

    name: str
    id: str
    size: int
    facts: Mapping[str, str]
    cards: str
    driver: str
    mounts: tuple[str, ...]
    ports: tuple[str, ...]
    user: str
    run: str
    run_on_cpu: str
    layers: tuple[LayerView, ...]


def look(engine: Engine, name: str, project: Project) -> ImageView:
    """Look at a local image.

    Args:
        engine: where it is.
        name: its name.
        project: where its service may be, which says what is mounted, and the receipts of that service's builds.

    Raises:
        EngineError: there is no such image.
    """
    image = engine.image(name)
    if image is None:
        raise EngineError(f"there is no image {name} here: `baker build` makes it, `docker pull` fetches it")
    told = image.labels.get(labels.SERVICE, "")
    service = project.read_services((told,))[0] if told in project.names() else None
    suffix = next((each.suffix for each in platforms.ALL if each.name == image.platform), "")
    folder = project.state / f"{receipt.FOLDER}{suffix}"
    receipts = (receipt.read(told, folder), receipt.before(told, folder)) if told else (None, None)
    return view(engine, name, image, service, receipts)


def view(
    engine: Engine,
    name: str,
    image: LocalImage,
    service: Service | None,
    receipts: tuple[Receipt | None, Receipt | None],
) -> ImageView:
    """Return what there is to see of an image.

    Args:
        engine: where it is.
        name: what it is called.
        image: the image.
        service: its service, if it is known; it says which folders are mounted.
        receipts: those of the service's last build and of the one before.
    """
    others = [other for other in engine.all_images() if other.id != image.id]
    folders = mounts(image, service)
    card = image.labels.get(labels.ACCEL) == "cuda"
    return ImageView(
        name=name,
        id=image.id,
        size=engine.uncompressed_size(image.id),
        facts={
            **{word: value for word, key in FACTS.items() if (value := image.labels.get(key, ""))},
            **({"platform": image.platform} if image.platform else {}),
        },
        cards=cards(image),
        driver=image.labels.get(labels.DRIVER_FLOOR, ""),
        mounts=folders,
        ports=tuple(sorted(image.config.get("ExposedPorts") or ())),
        user=str(image.config.get("User") or "root"),
        run=run_line(name, image, folders, card=card),
        run_on_cpu=run_line(name, image, folders, card=False) if card else "",
        layers=layers(engine.layers(image.id), others, _layers_before(image, receipts)),
    )


def layers(found: Sequence[Layer], others: Sequence[LocalImage], before: Sequence[str] | None) -> tuple[LayerView, ...]:
    """Return layers, largest first. `before` are those of the build before, None where that is not known."""
    views = [
        LayerView(
            digest=layer.digest,
            size=layer.size,
            made_by=layer.instruction,
            shared=tuple(sorted(other.name for other in others if layer.digest in other.layers)),
            changed=None if before is None else layer.digest not in before,
        )
        for layer in found
    ]
    return tuple(sorted(views, key=lambda layer: -layer.size))


def _layers_before(image: LocalImage, receipts: tuple[Receipt | None, Receipt | None]) -> Sequence[str] | None:
    """Return the layers to compare with: those of the build before, or of the last one where this image is not its."""
    last, before = receipts
    compared = before if last is not None and last.digest == image.id else last
    return compared.layers if compared is not None and compared.layers else None


def cards(image: LocalImage) -> str:
    """Say which cards an image runs on."""
    if image.labels.get(labels.ACCEL) != "cuda":
        return "none: it runs on the CPU" if image.labels.get(labels.ACCEL) else ""
    numbers = sorted(int(word) for word in image.labels.get(labels.CAPABILITIES, "").split())
    if not numbers:
        return "NVIDIA's"
    binaries = ", ".join(f"{number / 10}" for number in numbers)
    return f"NVIDIA's of compute capability {min(numbers) / 10} and newer; binaries for {binaries}"


def mounts(image: LocalImage, service: Service | None) -> tuple[str, ...]:
    """Return the folders to mount: those of the service, without what lies in another, or else the models' alone."""
    cache = image.environment.get(CACHE, "")
    every = service.image.mounts if service else (cache,) if cache else ()
    return tuple(path for path in every if posixpath.dirname(path) not in every)


def run_line(name: str, image: LocalImage, folders: Sequence[str], *, card: bool) -> str:
    """Return the command that runs an image, as hardened as docker-compose.yml has it.

    Without a card, an image that could use one is told so.
    """
    service = image.labels.get(labels.SERVICE, "")
    cache = image.environment.get(CACHE, "")
    words = ["docker", "run", "--rm", "--init"] if not image.config.get("Entrypoint") else ["docker", "run", "--rm"]
    words += ["--read-only", "--tmpfs", "/tmp:mode=1777,exec", "--cap-drop", "ALL"]  # noqa: S108 - in the container
    words += ["--security-opt", "no-new-privileges"]
    words += ["--gpus", "all"] if card else []
    for port in sorted(image.config.get("ExposedPorts") or ()):
        words += ["--publish", f"{port.removesuffix('/tcp')}:{port}" if port.endswith("/tcp") else port]
    for path in folders:
        volume = "huggingface" if path == cache else f"{service or 'baker'}-{posixpath.basename(path)}"
        words += ["--volume", f"{volume}:{path}"]
    words.append(name)
    if not card and image.labels.get(labels.ACCEL) == "cuda":
        words += [*(image.config.get("Cmd") or ()), "--cpu"]
    return shlex.join(words)
