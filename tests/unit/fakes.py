"""An engine that answers from a table and keeps what it was asked: tests of units start nothing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from baker.engine.interface import EngineInfo, Layer, LocalImage
from baker.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

HERE: dict[str, Any] = {
    "id": "x",
    "version": "26.1.5",
    "machine": "x86_64",
    "containerd_store": True,
    "root": "/no/such/folder",
    "local": True,
}


class FakeEngine:
    """Follows baker.engine.interface.Engine. Commands are by their first two words; one that is missing fails."""

    def __init__(
        self,
        *,
        info: Mapping[str, Any] = HERE,
        images: Mapping[str, LocalImage] | None = None,
        commands: Mapping[str, str | Callable[[Sequence[str]], str]] | None = None,
    ) -> None:
        self.environment: Mapping[str, str] = {"PATH": "/usr/bin:/bin"}
        self.info = EngineInfo(**info)
        self.images = dict(images or {})
        self.commands = dict(commands or {})
        self.asked: list[Sequence[str]] = []
        self.counts: Counter[str] = Counter()

    def command(self, *argv: str, cwd: Path | None = None) -> str:
        del cwd
        self.asked.append(argv)
        name = " ".join(argv[:2])
        self.counts[name] += 1
        answer = self.commands.get(name)
        if answer is None:
            raise CommandError(("docker", *argv), 1, f"no answer for {name}")
        return answer if isinstance(answer, str) else answer(argv)

    def describe(self) -> EngineInfo:
        self.counts["describe"] += 1
        return self.info

    def image(self, reference: str) -> LocalImage | None:
        by_id = {image.id: image for image in self.images.values()}
        return self.images.get(reference) or by_id.get(reference)

    def ids(self, references: Sequence[str]) -> tuple[str, ...]:
        found = [self.images[name].id for name in references if name in self.images]
        return tuple(found) if len(found) == len(references) else ()

    def labels(self, label: str) -> tuple[dict[str, str], ...]:
        return tuple(dict(image.labels) for image in self.images.values() if label in image.labels)

    def history(self, reference: str) -> tuple[str, ...]:
        del reference
        return ()

    def layers(self, reference: str) -> tuple[Layer, ...]:
        image = self.image(reference)
        assert image is not None
        sizes = range(1, len(image.layers) + 1)
        return tuple(
            Layer(digest=digest, size=size * 1000, instruction=f"COPY {digest}")
            for size, digest in zip(sizes, image.layers, strict=True)
        )

    def all_images(self) -> tuple[LocalImage, ...]:
        return tuple({image.id: image for image in self.images.values()}.values())

    def layer_sizes(self, reference: str) -> tuple[int, ...]:
        del reference
        return ()

    def uncompressed_size(self, reference: str) -> int:
        image = self.image(reference)
        assert image is not None
        return image.size

    def tag(self, source: str, target: str) -> None:
        image = self.image(source)
        assert image is not None
        self.images[target] = image

    def untag(self, reference: str) -> None:
        self.images.pop(reference, None)

    def pull(self, reference: str) -> None:
        raise AssertionError(reference)

    def remove(self, reference: str) -> None:
        self.images.pop(reference, None)

    def import_root(self, tarball: Path, repository: str, tag: str) -> None:
        raise AssertionError((tarball, repository, tag))

    def load(self, tarball: Path) -> None:
        raise AssertionError(tarball)

    def loading(self) -> Any:
        raise AssertionError("nothing is loaded")

    def save(self, reference: str, tarball: Path) -> None:
        raise AssertionError((reference, tarball))

    def saved(self, reference: str) -> Any:
        raise AssertionError(reference)

    def container(self, reference: str, command: Sequence[str], *, volume: Any = None, **options: Any) -> Any:
        raise AssertionError((reference, command, volume, options))
