"""docker-bake.json: what `docker buildx bake` builds, for any builder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from baker.plan import Plan
    from baker.settings import Settings


def image_name(settings: Settings, service: str) -> str:
    """Return REGISTRY/NAMESPACE/SERVICE, without a tag."""
    return "/".join(part.strip("/") for part in (settings.registry, settings.namespace, service) if part)


def make(plan: Plan, settings: Settings, revision: str) -> dict[str, Any]:
    """Return the bake file. `revision` is the source's commit, for a label; empty leaves it out."""
    return {
        "group": {"default": {"targets": [service.target for service in plan.services]}},
        "target": {
            service.target: {
                "context": ".",
                "dockerfile": "Dockerfile",
                "target": service.target,
                "tags": [f"{image_name(settings, service.name)}:{tag}" for tag in tags(plan, settings, service.name)],
                **({"labels": {"org.opencontainers.image.revision": revision}} if revision else {}),
            }
            for service in plan.services
        },
    }


def tags(plan: Plan, settings: Settings, service: str) -> tuple[str, ...]:
    """Return the tags of an image: the moving one, and one that names version, CUDA and capabilities."""
    image = next(image for image in plan.services if image.name == service)
    parts = [image.crate.version]
    if image.capabilities:
        parts += [f"cuda{plan.cuda}", *(f"sm{number}" for number in image.capabilities)]
    else:
        parts.append("cpu")
    suffix = "-builder" if image.builder else ""
    return (settings.tag + suffix, "-".join(parts) + suffix)
