"""A crate that prints what its one dependency says, from an index of its own."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from tests.docker import crates
from tests.docker.crates import Crate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from docker import DockerClient

NAME, DEPENDENCY = "baker-greeter", "baker-greeting"
MAIN = 'fn main() { println!("{}", baker_greeting::TEXT) }\n'


def greeting(text: str) -> Crate:
    """Return the dependency, which says something."""
    return Crate(name=DEPENDENCY, files={"src/lib.rs": f'pub const TEXT: &str = "{text}";\n'})


def saying(text: str, build_script: str = "") -> Crate:
    """Return the crate with a dependency that says something."""
    script = {"build.rs": build_script} if build_script else {}
    return Crate(name=NAME, files={"src/main.rs": MAIN, **script}, needs=(greeting(text),))


@dataclass(frozen=True)
class Index:
    """An index that is being served. `asked` has the paths that somebody asked for."""

    url: str
    folder: Path
    asked: list[str] = field(default_factory=list)

    def publish(self, text: str, build_script: str = "") -> str:
        """Publish the crate, and a dependency that says `text`; return the crate's sha256."""
        crate = saying(text, build_script)
        for one in (crate, *crate.needs):
            (self.folder / f"{one.name}-{one.version}.crate").write_bytes(one.packed)
        return crate.sha256


@contextmanager
def serve(engine: DockerClient, folder: Path) -> Iterator[Index]:
    """Serve an index where builds reach it, at another port each time: no builder has fetched from it before."""
    asked: list[str] = []

    class Handler(crates.Quiet):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            del code, size
            asked.append(self.path)

    folder.mkdir(parents=True, exist_ok=True)
    with crates.served(engine, partial(Handler, directory=str(folder))) as url:
        (folder / "config.json").write_text(json.dumps({"dl": f"{url}/{{crate}}-{{version}}.crate"}))
        yield Index(url, folder, asked)
