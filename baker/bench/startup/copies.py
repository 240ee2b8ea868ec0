"""A project of the benchmark's own, in a folder that goes with it, and the images that it makes."""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomlkit

from baker.build import receipt
from baker.config import uvlock
from baker.errors import BuildError
from baker.system import process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from baker.bench.startup.subject import Versions
    from baker.build.receipt import Receipt
    from baker.config.pins import CratePin
    from baker.config.project import Project
    from baker.engine.client import Docker

TAIL_LINES = 15


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A project whose images have names of their own: NAMESPACE/SERVICE:latest. `environment` is that of commands."""

    root: Path
    namespace: str
    environment: Mapping[str, str]

    def image(self, service: str) -> str:
        """Return the name of a service's image."""
        return f"{self.namespace}/{service}:latest"

    def pin(self, crate: str, pin: CratePin) -> None:
        """Pin a version of a crate."""
        self._lock("crates", crate, {"version": pin.version, "sha256": pin.sha256})

    def pin_environments(self) -> None:
        """Pin the lock of every Python project beside the services."""
        for path in sorted((self.root / "services").glob("**/uv.lock")):
            self._lock("projects", path.parent.name, uvlock.digest(path))

    def build(self, service: str, *options: str, say: Callable[[str], None]) -> Receipt:
        """Run `baker build` and return its receipt.

        Raises:
            BuildError: it failed.
        """
        argv = (sys.executable, "-m", "baker", "build", service, *options, "--project", str(self.root))
        command(argv, environment=self.environment, say=say)
        found = receipt.read(service, self.root / ".baker" / "receipts")
        if found is None:
            raise BuildError(f"`{' '.join(argv)}` left no receipt in {self.root}/.baker")
        return found

    def _lock(self, table: str, key: str, value: object) -> None:
        path = self.root / "baker.lock"
        document: Any = tomlkit.parse(path.read_text(encoding="utf-8"))
        document.setdefault(table, tomlkit.table())[key] = value
        path.write_text(tomlkit.dumps(document), encoding="utf-8")


@contextmanager
def copied(source: Project, namespace: str, engine: Docker) -> Iterator[Copy]:
    """Yield a folder with a project's pins and settings, but no services yet; its images are removed at the end."""
    with tempfile.TemporaryDirectory(prefix="baker-bench-") as folder:
        root = Path(folder)
        # The image's user reads the models.
        root.chmod(0o755)
        (root / "baker.lock").write_bytes(source.lock.read_bytes())
        # The settings stay the user's: other mirrors or another capability would compile all over again.
        own = source.root / "baker.toml"
        settings: Any = tomlkit.parse(own.read_text(encoding="utf-8") if own.exists() else "")
        settings["images"] = {"registry": "", "namespace": namespace, "tag": "latest"}
        (root / "baker.toml").write_text(tomlkit.dumps(settings), encoding="utf-8")
        try:
            yield Copy(root=root, namespace=namespace, environment=engine.environment)
        finally:
            remove(engine, namespace)


def lay_out(copy: Copy, versions: Versions) -> None:
    """Pin what a subject has laid out: its environments, and the older version of its crate."""
    copy.pin_environments()
    copy.pin(versions.crate, versions.previous)


def remove(engine: Docker, namespace: str) -> None:
    """Remove the benchmark's images, and what an interrupted build left running on them."""
    client = engine.sdk
    for container in client.containers.list(all=True, ignore_removed=True):
        if container.attrs["Config"]["Image"].startswith(f"{namespace}/"):
            container.remove(force=True, v=True)
    for image in client.images.list(f"{namespace}/*"):
        # The same image may have names of the user's.
        for tag in (name for name in image.tags if name.startswith(f"{namespace}/")):
            client.images.remove(tag)


def command(
    argv: tuple[str, ...], *, cwd: Path | None = None, environment: Mapping[str, str], say: Callable[[str], None]
) -> None:
    """Run a command to its end; on Ctrl-C it tidies up after itself.

    Raises:
        BuildError: it failed; its last lines are in the message.
    """
    tail: list[str] = []
    with process.stream(argv, cwd=cwd, env=environment) as child:
        assert child.stdout is not None  # noqa: S101 - stream() opens it
        for line in child.stdout:
            say(line.rstrip())
            tail = [*tail, line.rstrip()][-TAIL_LINES:]
        code = child.wait()
    if code:
        raise BuildError(f"`{' '.join(argv)}` ended with {code}:\n" + "\n".join(tail))
