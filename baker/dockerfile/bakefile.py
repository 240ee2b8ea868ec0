"""docker-bake.json: what `docker buildx bake` builds, for any builder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from baker.config.settings import Settings
    from baker.dockerfile.plan import Plan


def image_name(settings: Settings, service: str) -> str:
    """Return REGISTRY/NAMESPACE/SERVICE, without a tag."""
    return "/".join(part.strip("/") for part in (settings.registry, settings.namespace, service) if part)


def make(plan: Plan, settings: Settings, labels: Mapping[str, Mapping[str, str]]) -> str:
    """Return the bake file. `labels` are more labels for each target than the Dockerfile gives it."""
    platforms = {"platforms": [plan.platform.name]}
    content: dict[str, Any] = {
        "group": {"default": {"targets": [service.target for service in plan.services]}},
        "target": {
            service.target: {
                "context": ".",
                "dockerfile": "Dockerfile",
                "target": service.target,
                "tags": list(names(plan, settings, service.name)),
                "labels": dict(labels[service.target]),
                **platforms,
            }
            for service in plan.services
        }
        # For a registry cache, and for a look at the layers before the binary is there: not part of the default group.
        | {
            stage: {
                "context": ".",
                "dockerfile": "Dockerfile",
                "target": stage,
                **platforms,
                "output": ["type=cacheonly"],
            }
            for stage in (*(binary.stage for binary in plan.binaries), *plan.early)
        },
    }
    return json.dumps(content, indent=2) + "\n"


def names(plan: Plan, settings: Settings, service: str) -> tuple[str, ...]:
    """Return an image's names in an engine, with their tags, the moving one first."""
    # What the engine does not run itself must not take the names of what it does.
    own = "" if plan.platform == plan.local else f"-{plan.platform.architecture}"
    return tuple(f"{image_name(settings, service)}:{tag}{own}" for tag in tags(plan, settings, service))


def tags(plan: Plan, settings: Settings, service: str) -> tuple[str, ...]:
    """Return the tags of an image: the moving one, and one that names version, CUDA and capabilities."""
    image = next(image for image in plan.services if image.name == service)
    suffix = "-builder" if image.builder else ""
    return (settings.tag + suffix, f"{image.crate.version}-{flavour(plan, service)}{suffix}")


def flavour(plan: Plan, service: str) -> str:
    """Return what an image runs on, as its tags have it: cuda12.8-sm75-sm80, or cpu."""
    image = next(image for image in plan.services if image.name == service)
    if not image.capabilities:
        return "cpu"
    return "-".join([f"cuda{plan.cuda}", *(f"sm{number}" for number in image.capabilities)])
