"""A built image as an OCI layout in a folder: what a registry gets, with the layers of the image that was verified."""

from __future__ import annotations

import json
import shutil
import tarfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from baker.build import pipeline, root_image
from baker.buildkit import bake, distribute, proxies, secrets
from baker.buildkit.display import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from rich.console import Console

    from baker.build.machine import Machine
    from baker.build.prepare import Prepared
    from baker.dockerfile.plan import ImagePlan
    from baker.engine.interface import Engine, LocalImage

FOLDER = "{target}.oci"


@contextmanager
def written(prepared: Prepared, machine: Machine, image: ImagePlan, engine: Engine, console: Console) -> Iterator[Path]:
    """Write an image from the builder's cache, with its provenance; yield the folder, which goes with the block.

    Args:
        prepared: what was built; its build context is written.
        machine: what built it.
        image: the one image.
        engine: the engine.
        console: where progress is shown.

    Raises:
        BuildError: it did not come out.
    """
    request, context = prepared.request, prepared.context
    settings = request.settings
    exporter = (
        f"type=oci,tar=false,dest={FOLDER},oci-mediatypes=true,compression={settings.publishing.compression},"
        "force-compression=true"
    )
    by = machine.builder(distribute.of(settings.builders, request.targets)[image.target])
    argv = bake.arguments(
        builder=by.name,
        contexts=root_image.contexts(engine, request, prepared.plan, by),
        secrets=secrets.collect(settings, engine.environment),
        output=exporter + (",rewrite-timestamp=true" if settings.reproducible else ""),
        tags={image.target: pipeline.staging(request, image.target)},
        options=proxies.options(engine.environment, told=True),
        epoch=request.epoch,
        provenance=True,
    )
    folder, log = context / FOLDER.format(target=image.target), request.project.state / "publish.log"
    try:
        screen = Screen(console=console)
        bake.bake(argv, context=context, environment=engine.environment, log=log, screen=screen)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def load(engine: Engine, folder: Path) -> None:
    """Load an OCI layout into the engine's image store, under the name that it has."""
    with engine.loading() as stdin, tarfile.open(fileobj=stdin, mode="w|") as tarball:
        tarball.add(folder, arcname=".")


def same(config: Mapping[str, Any], here: LocalImage) -> bool:
    """Whether the config of an image names the layers and the labels of a local one."""
    layers = config.get("rootfs", {}).get("diff_ids")
    labels: object = config.get("config", {}).get("Labels")
    return tuple(layers or ()) == here.layers and labels == dict(here.labels)


def config(folder: Path) -> dict[str, Any]:
    """Return the config of the image in an OCI layout."""
    descriptor = json.loads((folder / "index.json").read_text(encoding="utf-8"))["manifests"][0]
    while True:
        found: dict[str, Any] = json.loads(blob(folder, descriptor["digest"]).read_text(encoding="utf-8"))
        if "rootfs" in found:
            return found
        # An index, whose first entry is the image, or the image's manifest.
        descriptor = found["manifests"][0] if "manifests" in found else found["config"]


def blob(folder: Path, digest: str) -> Path:
    """Return where an OCI layout keeps the bytes of a digest."""
    return folder / "blobs" / digest.replace(":", "/", 1)
