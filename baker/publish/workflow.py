"""Publishing: a verified image goes to a registry by its digest, is signed there, checked, and only then gets its tags.

Each step can be done again: what is there already is found by its digest, and no tag points at what is not finished.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker.build import pipeline, prepare
from baker.build.state import held
from baker.buildkit import builder
from baker.dockerfile import bakefile, labels
from baker.errors import InterruptedBuildError, VerifyError
from baker.publish import export, index, sbom
from baker.publish import tags as promote
from baker.publish.pushing import Pusher
from baker.publish.signing import Signer
from baker.verify import inventory, verifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from rich.console import Console

    from baker.build.machine import Machine
    from baker.build.prepare import Prepared
    from baker.build.receipt import Receipt
    from baker.config.settings import Settings
    from baker.dockerfile.plan import ImagePlan
    from baker.engine.interface import Engine
    from baker.publish.intents import Intent
    from baker.publish.pushing import Pushed
    from baker.registry.client import Manifest, Registries, Repository


@dataclass(frozen=True, kw_only=True)
class Part:
    """What was built for one platform: the receipts are one for each service."""

    prepared: Prepared
    receipts: tuple[Receipt, ...]

    def of(self, service: str) -> tuple[ImagePlan, Receipt]:
        """Return the image of a service, and its receipt."""
        image = next(image for image in self.prepared.plan.services if image.name == service)
        return image, next(receipt for receipt in self.receipts if receipt.service == image.target)


@dataclass(frozen=True, kw_only=True)
class Published:
    """An image in a registry. `digest` is that of its manifest, or of its index where it has a provenance.

    An index has the images of all platforms, and `sbom` a file for each, with ", " between. `size` is what the parts of
    an image take in the registry, and `sent` what went there this time, both in bytes.
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


def require(machine: Machine, environment: Mapping[str, str], settings: Settings, registries: Registries) -> None:
    """Raise EngineError when the builder or a program cannot publish, UsageError when nobody says how to sign."""
    Signer(settings=settings.publishing, environment=environment, registries=registries).require()
    Pusher(environment, lambda _: None).require()
    builder.require_oci(machine.builders, machine.engine, "publishing")


def publish(
    parts: Sequence[Part],
    intents: Sequence[Intent],
    machine: Machine,
    engine: Engine,
    *,
    registries: Registries,
    console: Console,
    now: datetime,
) -> tuple[Published, ...]:
    """Push, sign and check each image, and then move the tags of all. The images of several platforms become one index.

    Args:
        parts: what was built, one for each platform.
        intents: what intend() gave before that.
        machine: what built it.
        engine: where the images are.
        registries: how registries are reached.
        console: where progress is shown.
        now: the time that former images of tags get.

    Raises:
        VerifyError: what was pushed is not what was verified, or a signature is missing, or a tag was moved meanwhile.
        NetworkError: the registry cannot be reached, or refuses.
        InterruptedBuildError: Ctrl-C.
    """
    first = parts[0].prepared
    signer = Signer(settings=first.request.settings.publishing, environment=engine.environment, registries=registries)
    run = _Publishing(machine=machine, engine=engine, registries=registries, signer=signer, console=console)
    wanted = {intent.service: intent for intent in intents}
    done: list[tuple[Published, Manifest]] = []
    try:
        with held(first.request.project.state, console.print):
            for part in parts:
                prepare.write(part.prepared, part.prepared.context)
            for image in first.plan.services:
                near = [item.repository for item, _ in done]
                done.append(run.pushed(wanted[image.name], parts, near=near))
        # Of all before the first one moves, so that services do not come apart.
        for item, manifest in done:
            with registries.repository(item.repository) as repository:
                for tag, before in wanted[item.service].tags.items():
                    promote.unmoved(repository, tag, manifest, before)
        for item, manifest in done:
            with registries.repository(item.repository) as repository:
                for tag, before in wanted[item.service].tags.items():
                    promote.move(repository, tag, manifest, before, now)
    except KeyboardInterrupt as stop:
        raise InterruptedBuildError(
            "interrupted: no tag points at what is not finished; the same command goes on from there"
        ) from stop
    return tuple(item for item, _ in done)


def bill(prepared: Prepared, engine: Engine) -> str:
    """Return the bill of materials of the image of one service that is here."""
    image = prepared.plan.services[0]
    reference = bakefile.names(prepared.plan, prepared.request.settings, image.name)[0]
    here = verifier.require_image(engine, reference, f"run `baker build {image.name}`")
    name = bakefile.image_name(prepared.request.settings, image.name)
    return _listed(engine, image, reference, name, here.id)


@dataclass(frozen=True, kw_only=True)
class _Publishing:
    """One call of publish()."""

    machine: Machine
    engine: Engine
    registries: Registries
    signer: Signer
    console: Console

    def pushed(self, intent: Intent, parts: Sequence[Part], *, near: Sequence[str]) -> tuple[Published, Manifest]:
        """Push, sign and check the images of one service, as far as that is not done yet. No tag is moved."""
        with self.registries.repository(intent.repository) as repository:
            receipts = [part.of(intent.service)[1] for part in parts]
            manifest = found = self._there(repository, intent, receipts)
            sent = 0
            if manifest is None:
                pushed = [self._push(part, intent.service, repository, near) for part in parts]
                receipts = [receipt for _, receipt in pushed]
                sent = sum(item.sent for item, _ in pushed)
                manifest = index.joined(repository, [item.manifest for item, _ in pushed], receipts)
            reference = f"{repository.name}@{manifest.digest}"
            paths = [
                self._bill(part, intent.service, receipt, repository, manifest)
                for part, receipt in zip(parts, receipts, strict=True)
            ]
            if found is None or not self._signed(repository, manifest):
                self.console.print(f"signing {reference}", highlight=False)
                for path in paths:
                    self.signer.attest(reference, promote.SBOM_KIND, path)
                self.signer.sign(reference)
            if not promote.check(repository, manifest, self.signer):
                self.console.print(
                    f"note: this builder makes no provenance; {reference} cannot be promoted", highlight=False
                )
            published = Published(
                service=intent.service,
                repository=repository.name,
                digest=manifest.digest,
                tags=tuple(intent.tags),
                sbom=", ".join(str(path) for path in paths),
                size=repository.size(manifest),
                sent=sent,
            )
            return published, manifest

    def _there(self, repository: Repository, intent: Intent, receipts: Sequence[Receipt]) -> Manifest | None:
        """Return the published image when it has the layers and the settings of those that are here, and no others."""
        here = {receipt.platform: self.engine.image(receipt.digest) for receipt in receipts}
        for digest in intent.tags.values():
            manifest = repository.find(digest) if digest else None
            if manifest is None:
                continue
            there = index.images(repository, manifest)
            if there.keys() == {""}:
                # No index: an image of one platform, which does not say it here.
                there = dict.fromkeys(here, there[""]) if len(here) == 1 else {}
            if there.keys() == here.keys() and all(
                image and export.same(repository.config(there[name]), image) for name, image in here.items()
            ):
                return manifest
        return None

    def _signed(self, repository: Repository, manifest: Manifest) -> bool:
        try:
            promote.check(repository, manifest, self.signer)
        except VerifyError:
            return False
        return True

    def _push(self, part: Part, service: str, repository: Repository, near: Sequence[str]) -> tuple[Pushed, Receipt]:
        """Push an image by its digest, without a tag. Return what the registry then has, and its receipt.

        A builder that does not find each step in its cache makes another image of the same input: its garbage
        collection has dropped some, or a build beside this one shares them. That image is verified then, and pushed.
        """
        image, receipt = part.of(service)
        with export.written(part.prepared, self.machine, image, self.engine, self.console) as folder:
            here = self.engine.image(receipt.digest)
            if here is None or not export.same(export.config(folder), here):
                self.console.print("the builder made parts of it anew, so that it is verified again", highlight=False)
                receipt = self._verified(part.prepared, image, folder)
            self.console.print(f"pushing {repository.name} by digest", highlight=False)
            return Pusher(self.engine.environment, self.console.print).push(repository, folder, near), receipt

    def _verified(self, prepared: Prepared, image: ImagePlan, folder: Path) -> Receipt:
        """Load an image that was built anew, verify and tag it, and return its receipt."""
        request, engine = prepared.request, self.engine
        staged = pipeline.staging(request, image.target)
        export.load(engine, folder)
        try:
            local = verifier.require_image(engine, staged, "build again")
            found = verifier.check_built(engine, local, image, say=self.console.print)
            verifier.require(staged, found)
            return pipeline.finish(prepared, [(image, local)], engine, ())[0]
        finally:
            engine.untag(staged)

    def _bill(self, part: Part, service: str, receipt: Receipt, repository: Repository, manifest: Manifest) -> Path:
        """Write the bill of materials of an image that is here, under the name that it has in the registry."""
        image, _ = part.of(service)
        suffix = part.prepared.plan.platform.suffix
        path = part.prepared.request.project.state / "sbom" / f"{image.target}{suffix}.cdx.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        there = index.images(repository, manifest)
        # In an index of several platforms, each image has a digest of its own.
        digest = there[receipt.platform].digest if len(there) > 1 else manifest.digest
        path.write_text(_listed(self.engine, image, receipt.digest, repository.name, digest), encoding="utf-8")
        return path


def _listed(engine: Engine, image: ImagePlan, reference: str, name: str, digest: str) -> str:
    listed = inventory.read(engine, reference)
    with_python = image.requirements.imports or image.runtime != "runtime"
    kinds = [kind for kind in sbom.KINDS if kind != "pypi" or with_python]
    own = {key: value for key, value in image.labels if key in labels.OWN}
    return sbom.make(listed, name, image.crate.version, digest, kinds, own=own)
