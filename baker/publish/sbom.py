"""The bill of materials of an image, as CycloneDX JSON: Debian packages, CPython, Python distributions, Rust crates.

CUDA's libraries come from Python wheels, whose metadata is kept beside them: they are distributions like the others.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from baker import __version__
from baker.errors import VerifyError
from baker.verify import inventory as inventories

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KINDS = ("deb", "pypi", "cargo")


def make(
    inventory: str,
    name: str,
    version: str,
    digest: str,
    kinds: Sequence[str] = KINDS,
    *,
    own: Mapping[str, str] | None = None,
) -> str:
    """Return the bill of materials of an image.

    Args:
        inventory: what dockerfiles/verify/inventory printed in it.
        name: the image's name, without a tag.
        version: that of the crate it was made for.
        digest: the image's digest in the registry; the serial number comes from it.
        kinds: the kinds of packages that the image must have.
        own: what makes the crate another than that of crates.io, by label.

    Raises:
        VerifyError: there is nothing of one kind, so that the list cannot be complete.
    """
    components = list(inventories.packages(inventory))
    missing = [kind for kind in kinds if not any(purl.type == kind for purl, _ in components)]
    if missing:
        raise VerifyError(f"{name}: no {', '.join(missing)} for the bill of materials: is it an image of baker's?")
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"{name}@{digest}"))
    bom.metadata.component = Component(
        name=name,
        version=version,
        type=ComponentType.CONTAINER,
        purl=PackageURL("oci", None, name.rpartition("/")[2], digest, {"repository_url": name}),
        properties=[Property(name=key, value=value) for key, value in sorted((own or {}).items())],
    )
    bom.metadata.tools.components.add(Component(name="baker", version=__version__, type=ComponentType.APPLICATION))
    for purl, sums in components:
        bom.components.add(
            Component(
                name=purl.name,
                version=purl.version,
                type=ComponentType.LIBRARY,
                purl=purl,
                bom_ref=purl.to_string(),
                # Scanners know CPython by this name alone.
                cpe=f"cpe:2.3:a:python:python:{purl.version}:*:*:*:*:*:*:*" if purl.type == "generic" else None,
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=found) for found in sums],
            )
        )
    bom.register_dependency(bom.metadata.component, bom.components)
    return str(JsonV1Dot6(bom).output_as_string(indent=1))
