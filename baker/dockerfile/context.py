"""The folder of a build context: written without touching anything in it that is not baker's."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from baker.errors import UsageError
from baker.system.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from baker.dockerfile.render import Rendered

# The list of the files that baker has written, and so may write again and remove.
MARKER = ".baker-context"


def write(files: Sequence[Rendered], folder: Path, *, forbidden: Iterable[Path] = ()) -> None:
    """Write a build context into an empty folder, or into one that an earlier one was written to.

    Files of the earlier one that are not part of it any more are removed; what else is there stays.

    Args:
        files: the files of the context.
        folder: where to; it is made when it is missing.
        forbidden: folders that it may not lie in.

    Raises:
        UsageError: it cannot be written there, or would touch what is not baker's; nothing was changed.
    """
    real = folder.resolve()
    for place in forbidden:
        if real.is_relative_to(place.resolve()):
            raise UsageError(f"{folder} is part of the project: name another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before = _listed(folder)
        now = {file.path for file in files}
        for path in sorted(now | before):
            _check(folder, path, ours=path in before)
        # First of all, so that a folder that was interrupted can be written again.
        _mark(folder, now | before)
        for path in sorted(before - now):
            _remove(folder, path)
        for file in files:
            target = folder / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists() or target.read_bytes() != file.content:
                write_atomically(target, file.content)
            target.chmod(file.mode)
        _mark(folder, now)
    except OSError as error:
        raise UsageError(f"{error.filename or folder}: {error.strerror}") from error


def _listed(folder: Path) -> set[str]:
    marker = folder / MARKER
    if marker.is_symlink():
        raise UsageError(f"{marker} is a link: baker writes through none")
    if marker.exists():
        try:
            return set(marker.read_text(encoding="utf-8").split("\n")) - {""}
        except UnicodeDecodeError as error:
            raise UsageError(f"{marker} is not what baker wrote: name another folder") from error
    if any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty, and has no {MARKER} of an earlier context: name another folder")
    return set()


def _check(folder: Path, path: str, *, ours: bool) -> None:
    """Raise UsageError where a path of the context is none of it, or something else's."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or path != str(PurePosixPath(path)) or path == MARKER:
        raise UsageError(f"{folder / MARKER} names {path!r}, which is no file of a context: name another folder")
    place = folder
    for part in parts[:-1]:
        place /= part
        if place.is_symlink():
            raise UsageError(f"{place} is a link: baker writes through none")
    place /= parts[-1]
    if place.is_symlink():
        raise UsageError(f"{place} is a link: baker writes through none")
    if place.exists() and not (ours and place.is_file()):
        raise UsageError(f"{place} is not of an earlier context: move it, or name another folder")


def _remove(folder: Path, path: str) -> None:
    place = folder / path
    place.unlink(missing_ok=True)
    for above in place.parents:
        if above == folder or any(above.iterdir() if above.is_dir() else ()):
            break
        above.rmdir()


def _mark(folder: Path, paths: Iterable[str]) -> None:
    write_atomically(folder / MARKER, "\n".join(sorted(paths)) + "\n")
