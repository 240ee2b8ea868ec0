"""Publishing: a verified image goes to a registry by its digest, is signed there, checked, and only then gets its tags.

Each step can be done again: what is there already is found by its digest, and no tag points at what is not finished.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from baker import bakefile, cosign, engine, exporters, layout, pipeline, prepare, promote, sbom, upload, verify
from baker.errors import InterruptedBuildError, UsageError, VerifyError
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


@dataclass(frozen=True, kw_only=True)
class Intent:
    """What publishing one image comes to: where it goes, and what each tag points to until then."""

    service: str
    repository: str
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Published:
    """An image in a registry. `digest` is that of its manifest, or of its index where it has a provenance.

    `size` is what its parts take in the registry, and `sent` what went there this time, both in bytes.
    """

    service: str
    repository: str
    digest: str
    tags: tuple[str, ...]
    sbom: str
    size: int
    sent: int

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
        EngineError: the engine cannot write OCI images, or cosign is missing.
        VerifyError: what was pushed is not what was verified, or a signature is missing, or a tag was moved meanwhile.
        NetworkError: the registry cannot be reached, or refuses.
        InterruptedBuildError: Ctrl-C.
    """
    cosign.require(request.settings.publishing)
    exporters.require(request.settings.builders, engine.describe(), "publishing")
    request = settle(request, console)
    intents = intend(request, destination, release=release)
    receipts = pipeline.build_images(request, environment, console)
    prepared = prepare.prepare(request, prepare.choice(request, receipts[0].base, link=receipts[0].link))
    context = prepare.context(request, prepared.plan)
    prepare.write(request, prepared, context)
    done: list[Published] = []
    try:
        for intent, image, receipt in zip(intents, prepared.plan.services, receipts, strict=True):
            near = [item.repository for item in done]
            done.append(_publish(request, prepared, intent, image, receipt, environment, console, near))
    except KeyboardInterrupt as stop:
        raise InterruptedBuildError(
            "interrupted: no tag points at what is not finished; the same command goes on from there"
        ) from stop
    return tuple(done)


def _publish(
    request: Request,
    prepared: Prepared,
    intent: Intent,
    image: ImagePlan,
    receipt: Receipt,
    environment: Mapping[str, str],
    console: Console,
    near: Sequence[str],
) -> Published:
    """Push, sign, check and tag one image, as far as that is not done yet."""
    settings = request.settings.publishing
    with Repository(intent.repository) as repository:
        manifest = found = _there(repository, intent, receipt)
        if manifest is None:
            manifest, receipt = _push(request, prepared, image, repository, receipt, environment, console, near)
        reference = f"{repository.name}@{manifest.digest}"
        path = _bill(request, image, receipt, repository.name, manifest.digest)
        if found is None or not _signed(repository, manifest, request):
            console.print(f"signing {reference}", highlight=False)
            cosign.attest(reference, promote.SBOM_KIND, path, settings)
            cosign.sign(reference, settings)
        if not promote.check(repository, manifest, settings):
            console.print(f"note: this builder makes no provenance; {reference} cannot be promoted", highlight=False)
        for tag, before in intent.tags.items():
            promote.move(repository, tag, manifest, before)
        return Published(
            service=image.name,
            repository=repository.name,
            digest=manifest.digest,
            tags=tuple(intent.tags),
            sbom=str(path),
            size=repository.size(manifest),
            sent=repository.sent,
        )


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
        # Images for other cards are made from the same commit, at the same time.
        made = [f"git-{commit[:12]}-{bakefile.flavour(planned, image.name)}"] if commit else []
        found[image.name] = (version, *made, *([moving] if release else []))
    return found


def _there(repository: Repository, intent: Intent, receipt: Receipt) -> Manifest | None:
    """Return the published image when it has the layers and the settings of the one that is here."""
    here = engine.image(receipt.digest)
    for digest in intent.tags.values():
        manifest = repository.find(digest) if digest else None
        if manifest and here and layout.same(repository.config(manifest), here):
            return manifest
    return None


def _signed(repository: Repository, manifest: Manifest, request: Request) -> bool:
    try:
        promote.check(repository, manifest, request.settings.publishing)
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
) -> tuple[Manifest, Receipt]:
    """Push an image by its digest, without a tag. Return what the registry then has, and the receipt of that image.

    A builder that does not find each step in its cache makes another image of the same input: its garbage collection
    has dropped some, or a build beside this one shares them. That image is verified then, and pushed.
    """
    staged = pipeline.staging(request.settings, image.target)
    with layout.written(request, prepared, image, staged, environment, console) as folder:
        here = engine.image(receipt.digest)
        if here is None or not layout.same(layout.config(folder), here):
            console.print("the builder made parts of it anew, so that it is verified again", highlight=False)
            layout.load(folder)
            try:
                found = verify.check(staged, image, state=request.project.state, say=console.print)
                verify.require(staged, found)
                receipt = pipeline.finish(request, prepared, image, (), link=receipt.link)
            finally:
                engine.untag(staged)
        console.print(f"pushing {repository.name} by digest", highlight=False)
        return upload.push(repository, folder, near), receipt


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
