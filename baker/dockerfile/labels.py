"""The names of an image's labels: what it was made of, and what verify needs to know where no project is at hand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from baker.config.service import Service

TITLE = "org.opencontainers.image.title"
DESCRIPTION = "org.opencontainers.image.description"
VERSION = "org.opencontainers.image.version"
REVISION = "org.opencontainers.image.revision"
SOURCE = "org.opencontainers.image.source"
LICENSES = "org.opencontainers.image.licenses"
BASE_NAME = "org.opencontainers.image.base.name"
BASE_DIGEST = "org.opencontainers.image.base.digest"

SERVICE = "dev.baker.service"
BASE = "dev.baker.base"
ACCEL = "dev.baker.accel"
CRATE = "dev.baker.crate"
CRATE_VERSION = "dev.baker.crate.version"
CRATE_SOURCE = "dev.baker.crate.source"
CRATE_LOCK = "dev.baker.crate.lock"
CRATE_PATCHES = "dev.baker.crate.patches"
CAPABILITIES = "dev.baker.capabilities"
CUDA = "dev.baker.cuda"
DRIVER_FLOOR = "dev.baker.driver-floor"
PYTHON = "dev.baker.python"

BINARY = "dev.baker.binary"
BUDGET = "dev.baker.budget"
DUPLICATES = "dev.baker.duplicates"
EMBEDS_PYTHON = "dev.baker.embeds-python"
IMPORTS = "dev.baker.imports"
PACKAGES = "dev.baker.packages"
PTX = "dev.baker.ptx"
UNRESOLVED = "dev.baker.unresolved"

# The digest of all that an image comes from, and those of its stages: stages.Stage.whole and layers.
INPUTS = "dev.baker.inputs"
STAGES = "dev.baker.stages"

# Those of a crate of one's own.
OWN = (CRATE_SOURCE, CRATE_LOCK, CRATE_PATCHES)
# Every image has these; without them nobody knows what it should be.
ALWAYS = (ACCEL, BASE, BINARY, CRATE, SERVICE)


def identity(
    service: Service,
    *,
    version: str,
    base: str,
    capabilities: tuple[int, ...],
    cuda: str,
    driver_floor: str,
    python: str,
) -> dict[str, str]:
    """Return the labels that say what a service's image was made of; some are empty.

    Args:
        service: the service.
        version: its crate's.
        base: what it was built on.
        capabilities: those of its binaries; none where the image has no GPU code.
        cuda: the toolkit's version; empty without GPU code, as is the driver's floor.
        driver_floor: the oldest driver.
        python: the interpreter's version.
    """
    return {
        TITLE: service.title,
        DESCRIPTION: service.description,
        VERSION: version,
        SERVICE: service.name,
        BASE: base,
        ACCEL: "cuda" if cuda else "cpu",
        CRATE: service.crate.name,
        CRATE_VERSION: version,
        CAPABILITIES: " ".join(str(number) for number in capabilities),
        CUDA: cuda,
        DRIVER_FLOOR: driver_floor,
        PYTHON: python if service.python else "",
    }


def origins(base: str, licenses: str) -> dict[str, str]:
    """Return the labels that say what a service's image builds on, by an image reference, and on what terms.

    Debian's root comes from no registry, which could tell a digest.
    """
    name, _, digest = base.partition("@")
    return {BASE_NAME: name, BASE_DIGEST: digest, LICENSES: licenses}


def source(remote: str) -> str:
    """Return the address for people of a git remote, without a login; empty where it names no host."""
    if short := re.fullmatch(r"[^@/]+@([\w.-]+):([^/].*)", remote):
        remote = f"ssh://{short[1]}/{short[2]}"
    url = urlsplit(remote)
    if url.scheme not in ("http", "https", "ssh") or not url.hostname:
        return ""
    # The port of ssh is none that a browser could ask.
    scheme, port = ("https", "") if url.scheme == "ssh" else (url.scheme, f":{url.port}" if url.port else "")
    return f"{scheme}://{url.hostname}{port}{url.path.rstrip('/').removesuffix('.git')}"


def stage_digests(labels: Mapping[str, str]) -> set[str]:
    """Return the digests of stages that an image's labels name."""
    pairs = labels.get(STAGES, "").split()
    return {labels.get(INPUTS, ""), *(pair.partition("=")[2] for pair in pairs)}
