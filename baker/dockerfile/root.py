"""Debian's root file system: the recipe of the image that the debian base builds on, made without a registry."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker.errors import LockError

if TYPE_CHECKING:
    from baker.config.pins import DebianPin
    from baker.config.platforms import Platform
    from baker.config.settings import Mirrors

REPOSITORY = "baker-root"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


@dataclass(frozen=True, kw_only=True)
class Root:
    """A Debian root file system: its image's tag, the argument list that makes it, and what it is for."""

    reference: str
    argv: tuple[str, ...]
    platform: Platform


def root(pin: DebianPin, mirrors: Mirrors, platform: Platform) -> Root:
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
    return Root(
        reference=f"{REPOSITORY}:{suite}-{digest}{platform.suffix}",
        argv=(argv[0], f"--architectures={platform.architecture}", *argv[1:]),
        platform=platform,
    )
