"""Rendering: a plan becomes a build context, that is a Dockerfile and every file that it copies."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from baker.dockerfile import quoting
from baker.errors import UsageError
from baker.system.files import LEFTOVERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baker.dockerfile.plan import Plan

TEMPLATES = Path(str(resources.files("baker.dockerfile") / "templates"))
EXECUTABLE, PLAIN = 0o755, 0o644


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """One file of the build context: its path there, its bytes and its mode."""

    path: str
    content: bytes
    mode: int


def render(plan: Plan) -> tuple[Rendered, ...]:
    """Return the build context without a bake file, sorted by path. The same plan and files give the same bytes."""
    environment, own = templates(), TEMPLATES.resolve()
    files = [
        text("Dockerfile", environment.get_template("Dockerfile.j2").render(d=plan)),
        *(
            text(f"files/{name}", environment.get_template(f"files/{name}.j2").render(d=plan))
            for name in (
                *("cuda-link-only.cfg", "uv.txt"),
                *(("cross.cmake",) if plan.cross else ()),
                *(("backports.list", "backports.pref") if plan.backports else ()),
            )
        ),
        *copied(TEMPLATES / "scripts", "scripts", own),
        *(file for file in copied(TEMPLATES / "files", "files", own) if not file.path.endswith(".j2")),
    ]
    if plan.mirrors.crates:
        files.append(text("files/cargo.toml", environment.get_template("files/cargo.toml.j2").render(d=plan)))
    for service in plan.services:
        env = environment.get_template("files/image.env.j2")
        files.append(text(f"services/{service.name}/image.env", env.render(d=plan, service=service, variant="slim")))
        if service.builder:
            content = env.render(d=plan, service=service, variant="builder")
            files.append(text(f"services/{service.name}/image-builder.env", content))
    for item in plan.context:
        files += copied(item.source, item.target, item.root)
    return tuple(sorted(files, key=lambda file: file.path))


@cache
def templates() -> jinja2.Environment:
    """Return the templates, compiled once in each process: what is kept on a disk could be changed there."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - no HTML comes out of here
        keep_trailing_newline=True,
    )
    environment.filters |= quoting.FILTERS
    environment.globals |= quoting.FUNCTIONS
    return environment


def text(path: str, content: str) -> Rendered:
    """Return a plain text file of the context."""
    return Rendered(path=path, content=content.encode(), mode=PLAIN)


def copied(source: Path, target: str, root: Path, above: tuple[Path, ...] = ()) -> Iterator[Rendered]:
    """Yield a file or all files of a folder. Text gets Unix line ends: a CRLF checkout builds the same image.

    Links are followed as long as they stay in `root`; `above` are the folders that led here.

    Raises:
        UsageError: a link leads out of there, in a circle or nowhere, or something is neither file nor folder.
    """
    try:
        real = source.resolve(strict=True)
        mode = real.stat().st_mode
        if not real.is_relative_to(root):
            raise UsageError(f"{source} is a link out of {root}, to {real}: nothing from there goes into an image")
        if real in above:
            raise UsageError(f"{source} is a link to a folder that it lies in")
        if stat.S_ISDIR(mode):
            for child in sorted(source.iterdir()):
                if child.name not in LEFTOVERS:
                    yield from copied(child, f"{target}/{child.name}", root, (*above, real))
            return
        if not stat.S_ISREG(mode):
            raise UsageError(f"{source} is neither a file nor a folder: nothing else goes into an image")
        content = real.read_bytes()
    except RuntimeError as error:
        # What resolve() raises about a circle, up to Python 3.12.
        raise UsageError(f"{source} is a link that leads in a circle") from error
    except OSError as error:
        why = "a link that leads nowhere" if isinstance(error, FileNotFoundError) else f"unreadable: {error.strerror}"
        raise UsageError(f"{source} is {why}") from error
    if b"\0" not in content:
        content = content.replace(b"\r\n", b"\n")
    yield Rendered(path=target, content=content, mode=EXECUTABLE if content.startswith(b"#!") else PLAIN)
