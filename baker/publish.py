"""Publishing: a verified image goes to a registry by its digest, is signed there, checked, and only then gets its tags.

Each step can be done again: what is there already is found by its digest, and no tag points at what is not finished.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from baker import bakefile, build, cosign, engine, pipeline, prepare, promote, sbom, secrets, shares, upload, verify
from baker.errors import UsageError, VerifyError
from baker.registry import Repository

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from baker.plan import ImagePlan
    from baker.prepare import Prepared, Request
    from baker.receipt import Receipt
    from baker.registry import Manifest
    from baker.settings import Settings

LAYOUT = "{target}.oci"


@dataclass(frozen=True, kw_only=True)
class Intent:
    """What publishing one image comes to: where it goes, and what each tag points to until then."""

    service: str
    repository: str
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Published:
    """An image in a registry. `digest` is that of its manifest, or of its index where it has a provenance."""

    service: str
    repository: str
    digest: str
    tags: tuple[str, ...]
    sbom: str

    @property
    def reference(self) -> str:
        """REPOSITORY@DIGEST."""
        return f"{self.repository}@{self.digest}"


def destination(wanted: str | None, settings: Settings) -> str:
    """Return HOST/PATH, under which each service has a repository.

    Raises:
        UsageError: neither the command line nor baker.toml names a registry.
    """
    if not wanted and not settings.registry:
        raise UsageError("where to? --registry HOST/PATH says it, or [images] registry in baker.toml")
    return (wanted or f"{settings.registry.strip('/')}/{settings.namespace}").strip("/")


def settle(request: Request, console: Console) -> Request:
    """Return the request with its base decided, since the tags depend on it."""
    base = prepare.choose(request, console, link=True, make_root=False).base
    return replace(request, settings=replace(request.settings, base=base))


def intend(request: Request, destination: str, *, release: bool) -> tuple[Intent, ...]:
    """Return what publishing the services of a settled request would come to. Nothing is built and nothing pushed."""
    found = []
    for service, tags in _tags(request, release=release).items():
        with Repository(f"{destination}/{service}") as repository:
            now = {tag: repository.find(tag) for tag in tags}
        digests = {tag: manifest.digest if manifest else "" for tag, manifest in now.items()}
        found.append(Intent(service=service, repository=repository.name, tags=digests))
    return tuple(found)


def publish(
    request: Request, destination: str, environment: Mapping[str, str], console: Console, *, release: bool
) -> tuple[Published, ...]:
    """Build what is not built yet, then push, sign, check and tag each image.

    Raises:
        VerifyError: what was pushed is not what was verified, or a signature is missing, or a tag was moved meanwhile.
        NetworkError: the registry cannot be reached, or refuses.
    """
    settings = request.settings.publishing
    cosign.require(settings)
    request = settle(request, console)
    intents = intend(request, destination, release=release)
    receipts = pipeline.build_images(request, environment, console)
    prepared = prepare.prepare(request, prepare.choice(request, receipts[0].base, link=receipts[0].link))
    context = prepare.context(request, prepared.plan)
    prepare.write(request, prepared, context)
    done: list[Published] = []
    for intent, image, receipt in zip(intents, prepared.plan.services, receipts, strict=True):
        near = [item.repository for item in done]
        with Repository(intent.repository) as repository:
            found = _there(repository, intent, receipt)
            manifest = found or _push(request, prepared, image, repository, receipt, environment, console, near)
            reference = f"{repository.name}@{manifest.digest}"
            path = _bill(request, image, receipt, repository.name, manifest.digest)
            if found is None or not _signed(reference, request):
                console.print(f"signing {reference}", highlight=False)
                cosign.attest(reference, promote.SBOM_KIND, path, settings)
                cosign.sign(reference, settings)
            promote.check(reference, settings)
            for tag, before in intent.tags.items():
                promote.move(repository, tag, manifest, before)
        done.append(
            Published(
                service=image.name,
                repository=repository.name,
                digest=manifest.digest,
                tags=tuple(intent.tags),
                sbom=str(path),
            )
        )
    return tuple(done)


def bill(request: Request, console: Console) -> str:
    """Return the bill of materials of the image of one service that is here."""
    request = settle(request, console)
    planned = prepare.make_plan(request, prepare.choice(request, request.settings.base, link=True))
    image = planned.services[0]
    reference = bakefile.names(planned, request.settings, image.name)[0]
    here = engine.image(reference)
    if here is None:
        raise VerifyError(f"there is no image {reference} here: run `baker build {image.name}`")
    return _listed(image, reference, reference.rpartition(":")[0], here.id)


def _tags(request: Request, *, release: bool) -> dict[str, tuple[str, ...]]:
    """Return the tags of each service: what is in it, the commit it was made from, and `latest` for a release."""
    planned = prepare.make_plan(request, prepare.choice(request, request.settings.base, link=True))
    commit = prepare.revision(request.project.root)
    found = {}
    for image in planned.services:
        moving, version = bakefile.tags(planned, request.settings, image.name)
        found[image.name] = (version, *([f"git-{commit[:12]}"] if commit else []), *([moving] if release else []))
    return found


def _there(repository: Repository, intent: Intent, receipt: Receipt) -> Manifest | None:
    """Return the published image when it has the layers and the settings of the one that is here."""
    here = engine.image(receipt.digest)
    for digest in intent.tags.values():
        manifest = repository.find(digest) if digest else None
        if manifest and here and _same(repository.config(manifest), here):
            return manifest
    return None


def _same(config: Mapping[str, object], here: engine.LocalImage) -> bool:
    layers = config.get("rootfs", {}).get("diff_ids")  # type: ignore[attr-defined]
    settings = config.get("config", {})
    return tuple(layers or ()) == here.layers and settings.get("Labels") == dict(here.labels)  # type: ignore[attr-defined]


def _config(layout: Path) -> dict[str, object]:
    """Return the config of the image in an OCI layout."""
    descriptor = json.loads((layout / "index.json").read_text(encoding="utf-8"))["manifests"][0]
    while True:
        found: dict[str, object] = json.loads(upload.blob(layout, descriptor["digest"]).read_text(encoding="utf-8"))
        if "rootfs" in found:
            return found
        # An index, whose first entry is the image, or the image's manifest.
        descriptor = found["manifests"][0] if "manifests" in found else found["config"]  # type: ignore[index]


def _signed(reference: str, request: Request) -> bool:
    try:
        promote.check(reference, request.settings.publishing)
    except VerifyError:
        return False
    return True


def _push(
    request: Request,
    prepared: Prepared,
    image: ImagePlan,
    repository: Repository,
    receipt: Receipt,
    environment: Mapping[str, str],
    console: Console,
    near: Sequence[str],
) -> Manifest:
    """Push an image by its digest, without a tag, from the builder's cache; return what the registry then has."""
    settings, context = request.settings, prepare.context(request, prepared.plan)
    exporter = (
        f"type=oci,tar=false,dest={LAYOUT},oci-mediatypes=true,compression={settings.publishing.compression},"
        "force-compression=true"
    )
    builder = shares.of(settings.builders, request.targets)[image.target]
    argv = build.arguments(
        builder=builder,
        contexts=prepare.contexts(request, builder, prepared.plan, engine.describe()),
        secrets=secrets.collect(settings, environment),
        output=exporter + (",rewrite-timestamp=true" if settings.reproducible else ""),
        tags={image.target: repository.name},
        epoch=request.epoch,
        provenance=True,
    )
    log, layout = request.project.state / "publish.log", context / LAYOUT.format(target=image.target)
    try:
        build.bake(argv, context=context, log=log, console=console, seen=lambda _: None)
        here = engine.image(receipt.digest)
        if here is None or not _same(_config(layout), here):
            raise VerifyError(
                f"what the builder has of {image.target} is not the image that was verified: its cache has lost parts. "
                "Nothing was pushed. Run `baker build --force` and publish again"
            )
        console.print(f"pushing {repository.name} by digest", highlight=False)
        return upload.push(repository, layout, near)
    finally:
        shutil.rmtree(layout, ignore_errors=True)


def _bill(request: Request, image: ImagePlan, receipt: Receipt, name: str, digest: str) -> Path:
    """Write the bill of materials of an image that is here, under the name that it has in the registry."""
    path = request.project.state / "sbom" / f"{image.target}.cdx.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_listed(image, receipt.digest, name, digest), encoding="utf-8")
    return path


def _listed(image: ImagePlan, reference: str, name: str, digest: str) -> str:
    inventory = verify.said(reference, "inventory")
    kinds = [kind for kind in sbom.KINDS if kind != "pypi" or image.imports or image.runtime != "runtime"]
    return sbom.make(inventory, name, image.crate.version, digest, kinds)
