"""What an image's layers hold, each by itself: a file that a later layer removes or replaces is still in the image.

A user's layer is read once, whatever project it is in; what was found is kept by its digest.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import posixpath
import tarfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from baker.engine import containers
from baker.system import files
from baker.system.units import MEGABYTE
from baker.verify import secret_patterns
from baker.verify.checks import Check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from baker.dockerfile.top_layers import TopLayer
    from baker.engine.interface import Engine, LocalImage

NAME = "layers.json"
KEPT = 500
LARGE = MEGABYTE
# Larger files are libraries, models and the like, which are looked at by name only.
READ = 100 * MEGABYTE
GZIP, ZSTD, TAR = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"ustar"
TAR_AT = 257
MANIFEST = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class Layer:
    """What a layer holds: paths of what looks like secrets, and (path, bytes) of large files."""

    secrets: tuple[str, ...]
    large: tuple[tuple[str, int], ...]


# WORKDIR's layer
EMPTY = Layer(secrets=(), large=())


def check(
    engine: Engine,
    image: LocalImage,
    top: Sequence[TopLayer] = (),
    *,
    folder: Path | None,
    say: Callable[[str], None],
) -> tuple[Check, ...]:
    """Look for secrets in every layer of an image, and for large files that are in several.

    Args:
        engine: where the image is.
        image: the image.
        top: what each of the last layers holds, from the top, when that is known; they are read by themselves when all
            below them has been read before.
        folder: where what was found is kept for the next time; None, or one that cannot be written, keeps nothing.
        say: is told when this takes longer: the engine gives out an image only as a whole.
    """
    known = _kept(folder)
    if any(digest not in known for digest in image.layers):
        known |= _read_top(engine, image, top, known)
        if any(digest not in known for digest in image.layers):
            count = sum(digest not in known for digest in image.layers)
            say(f"{image.name}: reading {count} of {len(image.layers)} layers, which takes a while and is done once")
            known |= read(engine, image, known)
        _keep(folder, known, image.layers)
    found = [known[digest] for digest in image.layers]
    secrets = sorted({path for layer in found for path in layer.secrets})
    seen: set[tuple[str, int]] = set()
    again = set()
    for layer in found:
        again |= seen & set(layer.large)
        seen |= set(layer.large)
    return (
        Check(
            name="secrets",
            passed=not secrets,
            detail=f"looks like a secret: {', '.join(secrets)}" if secrets else f"none in {len(found)} layers",
        ),
        Check(
            name="shipped once",
            passed=not again,
            detail="in several layers: " + ", ".join(sorted(path for path, _ in again))
            if again
            else "no large file in two layers",
        ),
    )


def read(engine: Engine, image: LocalImage, known: Mapping[str, Layer]) -> dict[str, Layer]:
    """Read the layers of an image that are not known yet, and return them by digest: packed, and unpacked."""
    found: dict[str, Layer] = {}
    links: dict[str, str] = {}
    order: list[str] = []
    with (
        engine.saved(image.id) as stream,
        tarfile.open(fileobj=stream, mode="r|", bufsize=MEGABYTE) as archive,
    ):
        for member in archive:
            digest = f"sha256:{posixpath.basename(member.name)}"
            if member.issym():
                # Engines before 25 name a layer once for each image that has it.
                links[member.name] = posixpath.normpath(posixpath.join(posixpath.dirname(member.name), member.linkname))
                continue
            content = archive.extractfile(member)
            if content is None:
                continue
            if member.name == MANIFEST:
                order = json.load(content)[0]["Layers"]
            elif digest in known:
                found[member.name] = known[digest]
            elif (unpacked := _unpacked(content)) is not None:
                found[member.name] = _scan(unpacked)
    named = [links.get(name, name) for name in order]
    by_digest = {f"sha256:{posixpath.basename(name)}": found[name] for name in named if name.startswith("blobs/")}
    return by_digest | dict(zip(image.layers, (found[name] for name in named), strict=True))


def _read_top(
    engine: Engine, image: LocalImage, top: Sequence[TopLayer], known: Mapping[str, Layer]
) -> dict[str, Layer]:
    """Read the last layers by themselves, each as the one path that it holds; nothing when one below is not known."""
    if not top or any(digest not in known for digest in image.layers[: -len(top)]):
        return {}
    by_digest = dict(zip(reversed(image.layers), top, strict=False))
    new = {digest: layer.path for digest, layer in by_digest.items() if digest not in known}
    paths = [path for path in new.values() if path]
    found = {
        path: _scan(stream, posixpath.dirname(path)) for path, stream in containers.copied(engine, image.id, paths)
    }
    return {digest: found[path] if path else EMPTY for digest, path in new.items()}


def _unpacked(content: IO[bytes]) -> IO[bytes] | None:
    """Return a blob as the tar stream that it is; None when it is something else, as a config."""
    start: bytes = content.peek(TAR_AT + len(TAR))  # type: ignore[attr-defined]  # tarfile's readers have it
    if start.startswith(GZIP):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=content))
    if start.startswith(ZSTD):
        import zstandard  # noqa: PLC0415 - slow to import, and most builds read no layer

        return zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True)
    # A layer without a file is nothing but the end of an archive.
    return content if start[TAR_AT:].startswith(TAR) or not start.strip(b"\0") else None


def _scan(stream: IO[bytes], top: str = "/") -> Layer:
    """Read a layer's tar stream; `top` is the folder that its names are relative to."""
    secrets, large = [], []
    with tarfile.open(fileobj=stream, mode="r|", bufsize=MEGABYTE) as archive:
        for member in archive:
            if not member.isreg():
                continue
            path = posixpath.normpath(posixpath.join("/", top, member.name))
            if member.size > LARGE:
                large.append((path, member.size))
            if secret_patterns.in_name(path) or (
                0 < member.size <= READ and secret_patterns.in_content(_content(archive, member))
            ):
                secrets.append(path)
    return Layer(secrets=tuple(secrets), large=tuple(large))


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    return file.read() if file else b""


def _rules() -> str:
    """Return a digest of how layers are read: what was found by other rules does not count."""
    return hashlib.sha256(
        b"".join(Path(name).read_bytes() for name in (__file__, secret_patterns.__file__))
    ).hexdigest()


def _kept(folder: Path | None) -> dict[str, Layer]:
    """Return the layers that were read before, by digest; none where the file is missing or damaged."""
    if folder is None:
        return {}
    try:
        found = json.loads((folder / NAME).read_text(encoding="utf-8"))
        return {digest: _layer(item) for digest, item in found["layers"].items()} if found["rules"] == _rules() else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _layer(item: Mapping[str, Any]) -> Layer:
    return Layer(secrets=tuple(item["secrets"]), large=tuple((path, size) for path, size in item["large"]))


def _keep(folder: Path | None, layers: Mapping[str, Layer], used: Iterable[str]) -> None:
    """Keep the layers that were used last, with what others have kept meanwhile; without a folder, nothing."""
    if folder is None:
        return
    all_ = {**_kept(folder), **layers}
    last = {digest: all_[digest] for digest in used}
    newest = [*((digest, layer) for digest, layer in all_.items() if digest not in last), *last.items()][-KEPT:]
    content = {"rules": _rules(), "layers": {digest: asdict(layer) for digest, layer in newest}}
    # It saves time, and is no reason to fail: a home that is read-only, a disk that is full.
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        files.write_atomically(folder / NAME, json.dumps(content) + "\n")
