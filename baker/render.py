"""Rendering: a plan becomes a build context, that is a Dockerfile and every file that it copies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baker.plan import Plan

TEMPLATES = Path(str(resources.files("baker") / "dockerfiles"))
EXECUTABLE, PLAIN = 0o755, 0o644


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """One file of the build context: its path there, its bytes and its mode."""

    path: str
    content: bytes
    mode: int


def render(plan: Plan, compiled: Path | None = None) -> tuple[Rendered, ...]:
    """Return the build context without a bake file, sorted by path. The same plan and files give the same bytes.

    `compiled` is a folder where the compiled templates are kept for the next time.
    """
    environment = templates(compiled)
    files = [
        text("Dockerfile", environment.get_template("Dockerfile.j2").render(d=plan)),
        text("files/uv.txt", environment.get_template("files/uv.txt.j2").render(d=plan)),
        *(_copied(TEMPLATES / "scripts", "scripts")),
        *(file for file in _copied(TEMPLATES / "files", "files") if not file.path.endswith(".j2")),
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
        files += _copied(item.source, item.target)
    return tuple(sorted(files, key=lambda file: file.path))


def templates(compiled: Path | None = None) -> jinja2.Environment:
    """Return the templates; `compiled` is as for render()."""
    if compiled is not None:
        compiled.mkdir(parents=True, exist_ok=True)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - no HTML comes out of here
        keep_trailing_newline=True,
        bytecode_cache=jinja2.FileSystemBytecodeCache(str(compiled)) if compiled else None,
    )
    environment.filters["quoted"] = _quoted
    return environment


def text(path: str, content: str) -> Rendered:
    """Return a plain text file of the context."""
    return Rendered(path=path, content=content.encode(), mode=PLAIN)


def write(files: tuple[Rendered, ...], folder: Path) -> None:
    """Write a build context. Files of an earlier one that are not part of it any more are removed; others stay."""
    listing = folder / ".baker-context"
    before = listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
    now = {file.path for file in files}
    for path in before:
        if path not in now:
            (folder / path).unlink(missing_ok=True)
    for file in files:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_bytes() != file.content:
            target.write_bytes(file.content)
        target.chmod(file.mode)
    listing.write_text("\n".join(sorted(now)) + "\n", encoding="utf-8")


def _quoted(value: object) -> str:
    """Return a string or a list as a Dockerfile takes it in quotes, which is how JSON writes it."""
    return json.dumps(value, ensure_ascii=False)


def _copied(source: Path, target: str) -> Iterator[Rendered]:
    """Yield a file or all files of a folder. Text gets Unix line ends: a CRLF checkout builds the same image."""
    if source.is_dir():
        for child in sorted(source.iterdir()):
            if child.name not in ("target", "__pycache__", ".git", ".venv"):
                yield from _copied(child, f"{target}/{child.name}")
        return
    content = source.read_bytes()
    if b"\0" not in content:
        content = content.replace(b"\r\n", b"\n")
    mode = EXECUTABLE if content.startswith(b"#!") else PLAIN
    yield Rendered(path=target, content=content, mode=mode)
