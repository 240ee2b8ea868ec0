"""The provenance of a published image: BuildKit's signed-for statement of how it was made, beside it in its index."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from baker.errors import VerifyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from baker.registry.client import Manifest, Repository

# BuildKit's annotations: https://docs.docker.com/build/metadata/attestations/attestation-storage/
KIND, ABOUT = "vnd.docker.reference.type", "vnd.docker.reference.digest"
PREDICATE = "in-toto.io/predicate-type"
SLSA = "https://slsa.dev/provenance/"


def find(repository: Repository, manifest: Manifest) -> dict[str, Any] | None:
    """Return the in-toto statement about the first image of an index; None where an image of it has none.

    A signature of the index covers it, since each step from the index to the statement goes by digest.

    Raises:
        VerifyError: there is one, and it is about another image.
        NetworkError: the registry cannot be reached, or answers with other bytes than it says.
    """
    where = f"{repository.name}@{manifest.digest}"
    entries = manifest.json.get("manifests", ())
    images = [entry["digest"] for entry in entries if not is_attestation(entry)]
    stated: dict[str, dict[str, Any]] = {}
    for entry in filter(is_attestation, entries):
        about = entry["annotations"].get(ABOUT, "")
        found = repository.find(entry["digest"])
        layers = found.json.get("layers", ()) if found else ()
        for layer in layers:
            if not layer.get("annotations", {}).get(PREDICATE, "").startswith(SLSA):
                continue
            try:
                statement: dict[str, Any] = json.loads(repository.blob(layer["digest"]))
                subjects = {f"sha256:{subject['digest'].get('sha256')}" for subject in statement.get("subject", ())}
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise VerifyError(f"{where}: its provenance is no in-toto statement; publish it again") from error
            if about not in images or subjects != {about}:
                raise VerifyError(
                    f"{where}: its provenance is about another image, {', '.join(sorted(subjects)) or about}; "
                    "publish it again"
                )
            stated[about] = statement
    return stated[images[0]] if images and stated.keys() == set(images) else None


def is_attestation(entry: Mapping[str, Any]) -> bool:
    """Whether an entry of an index is no image, but BuildKit's statements about one."""
    annotations: Mapping[str, str] = entry.get("annotations", {})
    return annotations.get(KIND) == "attestation-manifest"
