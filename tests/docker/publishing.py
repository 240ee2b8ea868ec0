"""`baker publish` run in a project, and what a registry then has."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from baker.config.settings import Publishing
from baker.publish.signing import Signer
from baker.registry.client import Registries
from baker.registry.logins import Logins
from baker.registry.session import Connector
from tests.docker.project import VERSION

if TYPE_CHECKING:
    from baker.registry.client import Manifest
    from tests.docker.project import Project

VERSION_TAG = f"{VERSION}-cpu"
PASSWORD = {"COSIGN_PASSWORD": "for tests"}
SIGNED = '\n[publish]\nkey = "cosign.key"\npublic-key = "cosign.pub"\ntransparency-log = false\n'


def make_keys(folder: Path, **environment: str) -> Path:
    """Make a key pair in a folder."""
    whole = {**os.environ, **PASSWORD, **environment}
    subprocess.run(["cosign", "generate-key-pair"], cwd=folder, env=whole, check=True, capture_output=True)
    return folder


def publish(project: Project, home: str, *argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return project.baker("publish", "hello", "--json", "--registry", home, *argv, **(PASSWORD | environment))


def published(project: Project, home: str, *argv: str, **environment: str):
    done = publish(project, home, *argv, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    (item,) = json.loads(done.stdout)
    return item


def anonymous(tries: int = 5) -> Registries:
    """Registries without a login."""
    logins = Logins(file=Path("/nonexistent/config.json"))
    return Registries(connector=Connector(logins=logins, tries=tries))


def make_signer(keys: Path, **environment: str) -> Signer:
    """Return baker's own way to sign with the key pair of a folder, with nothing in the public log."""
    settings = Publishing(
        compression="zstd",
        key=str(keys / "cosign.key"),
        public_key=str(keys / "cosign.pub"),
        identity="",
        issuer="",
        transparency_log=False,
    )
    return Signer(settings=settings, environment={**os.environ, **PASSWORD, **environment}, registries=anonymous())


def find(home: str, reference: str, registries: Registries | None = None) -> Manifest | None:
    with (registries or anonymous()).repository(f"{home}/hello") as repository:
        return repository.find(reference)


def tags(home: str) -> tuple[str, ...]:
    with anonymous().repository(f"{home}/hello") as repository:
        return repository.tags()


def digest(home: str, tag: str, registries: Registries | None = None) -> str:
    found = find(home, tag, registries)
    return found.digest if found else ""


def cosign(project: Project, command: str, reference: str, *argv: str) -> subprocess.CompletedProcess[str]:
    ignore = "--insecure-ignore-tlog=true"
    return subprocess.run(
        ["cosign", command, "--key=cosign.pub", ignore, *argv, reference],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=False,
    )


def parts(repository: str, digest: str) -> dict[str, int]:
    """Return the bytes of the config and of each layer of a published image, by digest."""
    with anonymous().repository(repository) as there:
        index = there.find(digest)
        assert index is not None
        image = there.image(index)
    return {part["digest"]: part["size"] for part in (image["config"], *image["layers"])}
