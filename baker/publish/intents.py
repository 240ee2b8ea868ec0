"""What publishing comes to, before anything is built: where each image goes, and which tags are to move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker.dockerfile import bakefile
from baker.errors import UsageError
from baker.registry.references import Reference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from baker.build.prepare import Prepared
    from baker.config.settings import Settings
    from baker.dockerfile.plan import ImagePlan
    from baker.registry.client import Registries


@dataclass(frozen=True, kw_only=True)
class Intent:
    """What publishing one image comes to: where it goes, and what each tag points to until then."""

    service: str
    repository: str
    tags: Mapping[str, str]


def destination(wanted: str | None, settings: Settings) -> str:
    """Return HOST/PATH, under which each service has a repository.

    Raises:
        UsageError: neither the command line nor baker.toml names a registry.
    """
    if not wanted and not settings.registry:
        raise UsageError("no registry given: pass --registry HOST/PATH or set [images] registry in baker.toml")
    return (wanted or f"{settings.registry.strip('/')}/{settings.namespace}").strip("/")


def intend(prepared: Prepared, destination: str, registries: Registries, *, release: bool) -> tuple[Intent, ...]:
    """Return what publishing the services would come to. Nothing is built and nothing pushed.

    Raises:
        UsageError: nobody can push there.
        NetworkError: the registry cannot be reached, or refuses.
    """
    found = []
    for image in prepared.plan.services:
        tags = _tags(prepared, image, release=release)
        reference = Reference.parse(f"{destination}/{image.name}")
        reference.require_writable()
        with registries.repository(reference) as repository:
            now = {tag: repository.find(tag) for tag in tags}
        digests = {tag: manifest.digest if manifest else "" for tag, manifest in now.items()}
        found.append(Intent(service=image.name, repository=repository.name, tags=digests))
    return tuple(found)


def permit(intents: Sequence[Intent], registries: Registries) -> None:
    """Raise NetworkError where a registry does not take what is going to be pushed: better now than after a compile."""
    for intent in intents:
        with registries.repository(intent.repository) as repository:
            repository.check_upload()


def _tags(prepared: Prepared, image: ImagePlan, *, release: bool) -> tuple[str, ...]:
    """Return the tags of an image: its version, the commit it was made from, and `latest` for a release.

    A checkout with changes that are in no commit gives no commit's tag.
    """
    moving, version = bakefile.tags(prepared.plan, prepared.request.settings, image.name)
    revision = prepared.revision
    # Images for other cards are made from the same commit, at the same time.
    flavour = bakefile.flavour(prepared.plan, image.name)
    made = [f"git-{revision.commit[:12]}-{flavour}"] if revision.commit and not revision.dirty else []
    return (version, *made, *([moving] if release else []))
