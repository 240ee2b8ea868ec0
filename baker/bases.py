"""Bases: which one to take, and Debian's root file system, made without a container registry."""

from __future__ import annotations

import hashlib
import json
import tarfile
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from baker import engine, run, web
from baker.errors import EngineError, LockError

if TYPE_CHECKING:
    from collections.abc import Callable

    from baker.pins import DebianPin
    from baker.settings import Mirrors

REPOSITORY = "baker-root"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
HINT = "install it with `sudo apt-get install mmdebstrap debian-archive-keyring`, or take --base nvidia"
REGISTRY_TIMEOUT = 5
UNAUTHORIZED = 401


@dataclass(frozen=True, kw_only=True)
class Root:
    """A Debian root file system: its image's tag, and the argument list that makes it."""

    reference: str
    argv: tuple[str, ...]


def choose(wanted: str, registry: str, reaches: Callable[[str], str]) -> tuple[str, str]:
    """Return the base to take and one line that says why.

    Args:
        wanted: auto, nvidia or debian.
        registry: the mirror's prefix; empty is Docker Hub.
        reaches: returns why a registry host cannot be used, empty when it answers.
    """
    if wanted != "auto":
        return wanted, f"base {wanted}, as asked"
    host = registry.split("/", maxsplit=1)[0] or web.DOCKER_HUB
    trouble = reaches(host)
    if trouble:
        return "debian", f"base debian, since {host} cannot be reached ({trouble})"
    return "nvidia", f"base nvidia, since {host} answers"


def reaches(host: str) -> str:
    """Ask a registry once, with a short time-out; return why it cannot be used, or an empty string."""
    try:
        urllib.request.urlopen(web.registry(host), timeout=REGISTRY_TIMEOUT).close()  # noqa: S310 - http only for this machine
    except urllib.error.HTTPError as error:
        return "" if error.code == UNAUTHORIZED else f"HTTP {error.code}"
    except (urllib.error.URLError, OSError) as error:
        return str(getattr(error, "reason", error))
    return ""


def root(pin: DebianPin, mirrors: Mirrors) -> Root:
    """Return the root of a suite; its tag is the hash of the recipe, so that a changed recipe is a new tag.

    The pinned snapshot is part of the recipe: a newer one is a new root, on which every apt-get runs again. Where a
    mirror's address has "{snapshot}" in it, as those of snapshot.debian.org may, the very packages of that time come.
    """
    suite = pin.suite
    dated = "{snapshot}" in mirrors.debian + mirrors.debian_security
    if dated and not pin.snapshot:
        raise LockError("[mirrors] debian asks for a snapshot, and baker.lock has none: set [debian] snapshot in it")
    archive, security = (url.replace("{snapshot}", pin.snapshot) for url in (mirrors.debian, mirrors.debian_security))
    signed = f"[signed-by={KEYRING}]"
    components = "main contrib non-free"
    argv = (
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        "--include=ca-certificates",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        "--dpkgopt=path-exclude=/usr/share/info/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        # The lists of a snapshot are older than they say that they may be.
        *(("--aptopt=Acquire::Check-Valid-Until false",) if dated else ()),
        suite,
        "{tarball}",
        f"deb {signed} {archive} {suite} {components}",
        f"deb {signed} {archive} {suite}-updates {components}",
        f"deb {signed} {security} {suite}-security {components}",
    )
    recipe = json.dumps(argv) + (pin.snapshot and f" {pin.snapshot}")
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    return Root(reference=f"{REPOSITORY}:{suite}-{digest}", argv=argv)


def ensure(root: Root, say: Callable[[str], None]) -> None:
    """Make a root and import it, unless the engine has it.

    Raises:
        EngineError: mmdebstrap is missing.
        CommandError: it failed.
    """
    if engine.image(root.reference):
        return
    run.find("mmdebstrap", HINT)
    say(f"{root.reference}: not here yet, making it with mmdebstrap")
    with tempfile.TemporaryDirectory(prefix="baker-root-") as folder:
        tarball = Path(folder) / "root.tar"
        argv = [argument.format(tarball=tarball) for argument in root.argv]
        run.capture(argv, env={"SOURCE_DATE_EPOCH": "1"})
        repository, _, tag = root.reference.partition(":")
        engine.import_root(tarball, repository, tag)


def layout(reference: str, folder: Path) -> str:
    """Write a root as an OCI layout, and return it as a named context of a build.

    The engine's own builder finds a root in the engine's image store; every other one has to be handed it.

    Raises:
        EngineError: the engine saves images in its own, older format.
    """
    index = folder / "index.json"
    if not index.exists():
        folder.mkdir(parents=True, exist_ok=True)
        tarball = folder / "root.tar"
        try:
            engine.save(reference, tarball)
            with tarfile.open(tarball) as archive:
                archive.extractall(folder, filter="data")
        finally:
            tarball.unlink(missing_ok=True)
    if not index.exists():
        raise EngineError(
            f"{reference} cannot be handed to a builder other than the engine's own: that takes Docker 25 or newer"
        )
    digest = json.loads(index.read_text(encoding="utf-8"))["manifests"][0]["digest"]
    return f"oci-layout://{folder}@{digest}"
