"""The stand-in images. What a real image takes from services/moshi-server/base.toml, these take from there too."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest

from tests import run
from tests.docker.fallback.machine import BASE, SERVICE, Machine

if TYPE_CHECKING:
    from collections.abc import Generator

STANDINS = Path(__file__).parent / "standins"
VARIANTS = ("slim", "turing", "newer", "cpu", "broken", "builder")


def lay_out(context: Path) -> None:
    """Put the files of an image and the source of its tool into a build context."""
    shutil.copytree(STANDINS, context)
    shutil.copytree(SERVICE / "probe", context / "probe", ignore=shutil.ignore_patterns("target"))
    for file in BASE["files"]:
        source, target = SERVICE / file["from"], context / "root" / file["to"].lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
            target.chmod(int(file.get("mode", "0644"), 8))


@pytest.fixture(scope="session")
def machine(debian_root: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Machine]:
    context = tmp_path_factory.mktemp("standins") / "context"
    lay_out(context)
    arguments = [f"--build-arg=ROOT={debian_root}", f"--build-arg=MOUNTS={' '.join(BASE['mounts'])}"]
    images = {name: f"{run.name('fallback')}:{name}" for name in VARIANTS}
    for name, tag in images.items():
        command = ["docker", "build", "--quiet", *arguments, f"--target={name}", f"--tag={tag}"]
        subprocess.run([*command, str(context)], check=True, stdout=subprocess.DEVNULL)
    client = docker.from_env()
    try:
        yield Machine(client, images)
    finally:
        for tag in images.values():
            client.images.remove(tag, force=True)
        client.close()


@pytest.fixture
def volume(machine: Machine) -> Generator[str]:
    made = machine.client.volumes.create(labels=run.LABELS)
    try:
        yield str(made.id)
    finally:
        made.remove(force=True)
