"""A build cache in a registry, so that another machine need not compile: one ref for each group of stages.

The ref of a service has the layers of its image and nothing else: BuildKit finds each COPY by what it is made from, and
asks for neither the toolchain nor the venv's own stage. The ref of a binary has the toolchain below it, which another
version of the crate is compiled with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from baker.buildkit.progress import Progress
    from baker.config.settings import Settings
    from baker.dockerfile.plan import Plan

EXPORT = "mode=min,image-manifest=true,oci-mediatypes=true,compression=zstd,force-compression=true,ignore-error=true"


def targets(plan: Plan, settings: Settings) -> tuple[str, ...]:
    """Return the targets that are built only to be kept in the cache."""
    return tuple(binary.stage for binary in plan.binaries) if settings.cache_to else ()


def options(plan: Plan, settings: Settings) -> tuple[str, ...]:
    """Return what bake sets for the cache, as in "stt.cache-from=type=registry,ref=…"."""
    images = tuple(image.target for image in plan.services)
    groups = (*images, *(binary.stage for binary in plan.binaries))
    # Of several builders, each takes what the others have left there.
    taken = (*settings.cache_from, *((settings.cache_to,) if settings.cache_to and len(settings.builders) > 1 else ()))
    found = [
        f"{target}.cache-from=type=registry,ref={reference(repository, group, plan)}"
        for repository in dict.fromkeys(taken)
        for target in (*images, *plan.early, *targets(plan, settings))
        for group in groups
    ]
    if settings.cache_to:
        refs = {group: reference(settings.cache_to, group, plan) for group in groups}
        found += [f"{group}.cache-to=type=registry,ref={ref},{EXPORT}" for group, ref in refs.items()]
    return tuple(found)


def unused(progress: Progress, settings: Settings) -> str:
    """Return why a build that was to read a cache found nothing there; empty when anything came from a cache."""
    if not settings.cache_from or not progress.imports or progress.reused:
        return ""
    where, here = " and ".join(settings.cache_from), "so that all was built here"
    if all(progress.imports.values()):
        return f"the cache {where} could not be read, {here}: {next(iter(progress.imports.values()))}"
    return (
        f"nothing in the cache {where} was of use, {here}: it serves the same stages, "
        "and the release of BuildKit that wrote it"
    )


def reference(repository: str, group: str, plan: Plan) -> str:
    """Return REPOSITORY:GROUP-BASE-CUDA, and the platform's suffix; what cannot share layers has another tag."""
    suffix = f"cuda{plan.cuda}" if plan.cuda else "cpu"
    return f"{repository.rstrip('/')}:{group}-{plan.base}-{suffix}{plan.platform.suffix}"
