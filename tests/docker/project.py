"""A project with a small crate from crates.io as its one service, and the command line run in it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests import leftovers, run

if TYPE_CHECKING:
    from pathlib import Path

# One that compiles in seconds: it needs five other crates.
CRATE, VERSION = "tac", "2.1.0"
SHA256 = "ac7b6679e09cf1389866ca14b93d734343357c62b567efe0207d90c92619fa22"
OLDER, OLDER_SHA256 = "2.0.0", "7e2de608b879341f478a359344366b501989b61c4309722e4bff8bd92f1c3833"
# What `--version` prints.
SAID = (
    f"{CRATE} {VERSION} - Copyright Mahmoud Al-Qudsi, NeoSmart Technologies 2017-2021\n"
    "Report bugs at <https://github.com/neosmart/tac>"
)
NAMESPACE = run.name("project")
# tests/e2e names its images so, in the same process; a project has images of its own.
ELSEWHERE = ("BAKER_STT_IMAGE", "BAKER_TTS_IMAGE")
REGISTRY = os.environ.get("BAKER_TEST_REGISTRY", "")
SERVICE = f"""
[crate]
name = "{CRATE}"
[[image.files]]
from = "motd"
to = "/app/motd"
"""

PYPROJECT = '[project]\nname = "environment"\nversion = "0"\ndescription = "{}"\nrequires-python = ">=3.11"\n'
PYPROJECT += 'dependencies = ["{}"]\n'


@dataclass(frozen=True)
class Project:
    """A project in a folder of its own, and the command line run in it: this checkout's, or one that is installed."""

    root: Path
    program: tuple[str, ...] = (sys.executable, "-m", "baker")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def baker(self, *argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command line. A warning of a library, which users do not see, ends it as a bug."""
        inherited = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
        return subprocess.run(
            [*self.program, *argv],
            cwd=self.root,
            env={**inherited, "PYTHONWARNINGS": "error", **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )

    def build(self, *argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.baker("build", "hello", *argv, **environment)

    @property
    def image(self) -> str:
        return f"{NAMESPACE}/{self.root.name}/hello:latest"


def lay_out(project: Project) -> None:
    """Give a project, which has a lock, a small crate as its one service, on the debian base and without a card."""
    namespace = f"{NAMESPACE}/{project.root.name}"
    project.write("baker.toml", f'[images]\nnamespace = "{namespace}"\n[build]\nbase = "debian"\naccel = "cpu"\n')
    lock = (project.root / "baker.lock").read_text()
    project.write("baker.lock", f'{lock}\n[crates.{CRATE}]\nversion = "{VERSION}"\nsha256 = "{SHA256}"\n')
    project.write("services/hello/service.toml", SERVICE)
    project.write("services/hello/motd", "hello\n")


def furnish(project: Project, once: str) -> None:
    """Give a project's image one of everything: a crate, a tool, a venv, a package, a file, a command.

    `once` stands in each of them, so that no builder has made them before.
    """
    folder = "services/hello"
    more = (
        '[python]\nproject = "environment"\nvenv = true\n[image]\ntools = ["greeter"]\n'
        f'folders = ["/{once}"]\ncommand = ["--version"]\n[image.packages]\ndebian = []\n[[image'
    )
    project.write(f"{folder}/service.toml", SERVICE.replace("[[image", more))
    project.write(f"{folder}/environment/pyproject.toml", PYPROJECT.format(once, "iniconfig==2.0.0"))
    project.write(f"{folder}/greeter/Cargo.toml", '[package]\nname = "greeter"\nversion = "0.1.0"\nedition = "2021"\n')
    project.write(f"{folder}/greeter/Cargo.lock", 'version = 3\n[[package]]\nname = "greeter"\nversion = "0.1.0"\n')
    project.write(f"{folder}/greeter/src/main.rs", f"// {once}\nfn main() {{}}\n")
    locked = project.baker("lock")
    assert locked.returncode == 0, locked.stderr


def layers(engine, image):
    return engine.images.get(image).attrs["RootFS"]["Layers"]


def failure(done: subprocess.CompletedProcess[str], code: int) -> str:
    """Return what a failed call said, after a look that it is no traceback and has the right exit code."""
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert sum(line.startswith("error: ") for line in done.stderr.splitlines()) == 1
    return done.stderr


def tags(engine, beginning):
    """Return the names of images that begin so.

    images.list() would look at each image by itself, and fail when somebody else has just removed one.
    """
    names = (tag for image in leftovers.images(engine) for tag in image["RepoTags"] or ())
    return [tag for tag in names if tag.startswith(beginning)]


def tagged(engine, project):
    """Return the names that a project's images have."""
    return tags(engine, f"{NAMESPACE}/{project.root.name}/")
