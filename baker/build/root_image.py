"""The root image of the debian base: made by mmdebstrap, imported, and handed to builders elsewhere."""

from __future__ import annotations

import json
import shutil
import tarfile
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from baker.buildkit.builder import OWN
from baker.config import platforms
from baker.dockerfile.bases import BASES
from baker.dockerfile.render import TEMPLATES
from baker.dockerfile.root import root
from baker.errors import EngineError
from baker.system import emulation, patience, process

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from baker.build.request import Request
    from baker.buildkit.builder import Builder
    from baker.config.platforms import Platform
    from baker.dockerfile.plan import Plan
    from baker.dockerfile.root import Root
    from baker.engine.interface import Engine

# What gives apt its secrets while the root is made, and takes them away.
HOOKS = TEMPLATES / "root"
# Of an OCI layout: https://github.com/opencontainers/image-spec/blob/main/image-layout.md
INDEX = "index.json"
HINT = "install it with `sudo apt-get install mmdebstrap debian-archive-keyring`, or take --base nvidia"
# What apt says of an archive that does not answer; for as long as it runs it does not ask that address again.
UNANSWERED = ("Could not connect", "Unable to connect", "Cannot initiate the connection")
AGAIN = "mmdebstrap: the archive does not answer; again in {:.0f} s"
PAUSES = (5.0, 15.0, 30.0, 60.0)


def recipes(request: Request, plan: Plan) -> tuple[Root, ...]:
    """Return the roots that a plan builds on: that of the images, and where it differs that of what compiles."""
    wanted = dict.fromkeys((plan.platform, plan.build_platform))
    return tuple(root(request.pins.debian, request.settings.mirrors, platform) for platform in wanted)


def ensure(engine: Engine, wanted: Root, say: Callable[[str], None], secrets: Sequence[tuple[str, Path]] = ()) -> None:
    """Make a root and import it, unless the engine has it.

    Args:
        engine: the engine.
        wanted: the root.
        say: is told when it has to be made.
        secrets: (id, file), as secrets.collect() gives them: the CA bundle and netrc file that apt needs.

    Raises:
        EngineError: mmdebstrap is missing, or this machine cannot run what it unpacks.
        CommandError: it failed.
    """
    if engine.image(wanted.reference):
        return
    process.find("mmdebstrap", HINT, env=engine.environment)
    platform = wanted.platform
    if not _unpacks(platform, engine.environment):
        raise EngineError(
            f"mmdebstrap runs programs of {platform.name} to make the root, and this machine cannot: run `sudo apt-get "
            f"install {emulation.PACKAGES} {emulation.ARCH_TEST}`"
        )
    say(f"{wanted.reference}: not here yet, making it with mmdebstrap")
    with tempfile.TemporaryDirectory(prefix="baker-root-") as folder:
        tarball = Path(folder) / "root.tar"
        argv = [argument.format(tarball=tarball) for argument in wanted.argv]
        given = {f"BAKER_{name.upper()}": str(path.resolve()) for name, path in secrets}
        hooks = [f"--hook-directory={HOOKS}"] if given else []
        environment = {**engine.environment, **given, "SOURCE_DATE_EPOCH": "1"}
        mmdebstrap([*hooks, *argv[1:]], environment, say)
        if platforms.of_machine(engine.describe().machine) == platform:
            repository, _, tag = wanted.reference.partition(":")
            engine.import_root(tarball, repository, tag)
        else:
            _import_foreign(engine, wanted, Path(folder))


def mmdebstrap(arguments: Sequence[str], environment: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Run mmdebstrap, and again while the archive does not answer.

    Args:
        arguments: those of mmdebstrap.
        environment: its whole environment.
        say: is told of each pause.

    Raises:
        CommandError: it failed.
    """
    patience.patiently(
        # In English, whose words are known.
        partial(process.capture, ["mmdebstrap", *arguments], env={**environment, "LC_ALL": "C"}),
        passes=UNANSWERED,
        pauses=PAUSES,
        say=lambda seconds: say(AGAIN.format(seconds)),
    )


def _unpacks(platform: Platform, environment: Mapping[str, str]) -> bool:
    """Whether mmdebstrap can make a root of a platform here."""
    if emulation.native(platform.machine):
        return True
    asks = shutil.which(emulation.ARCH_TEST, path=environment.get("PATH"))
    return asks is not None and emulation.runs(platform.machine, platform.qemu)


def _import_foreign(engine: Engine, wanted: Root, folder: Path) -> None:
    """Import the root.tar of a folder as an image of another platform than the engine's, which a builder makes."""
    shutil.copy(HOOKS / "Dockerfile", folder)
    argv = ("buildx", "build", f"--platform={wanted.platform.name}", "--provenance=false", "--load")
    engine.command(*argv, f"--tag={wanted.reference}", str(folder))


def layout(engine: Engine, reference: str, folder: Path) -> str:
    """Write a root as an OCI layout, and return it as a named context of a build.

    The engine's own builder finds a root in the engine's image store; every other one has to be handed it. The folder
    comes into being in one step: whoever is ended before leaves nothing that looks like a layout.

    Raises:
        EngineError: the engine saves images in its own, older format.
    """
    if not (folder / INDEX).exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{folder.name}-", dir=folder.parent) as part:
            unpacked = Path(part) / "layout"
            _unpack(engine, reference, unpacked)
            # What an older baker left where it was ended.
            shutil.rmtree(folder, ignore_errors=True)
            unpacked.rename(folder)
    digest = json.loads((folder / INDEX).read_text(encoding="utf-8"))["manifests"][0]["digest"]
    return f"oci-layout://{folder}@{digest}"


def _unpack(engine: Engine, reference: str, folder: Path) -> None:
    """Write an image as an OCI layout into a new folder."""
    tarball = folder.with_suffix(".tar")
    engine.save(reference, tarball)
    with tarfile.open(tarball) as archive:
        # Python before 3.11.4, as in Debian 12, has no filters (PEP 706).
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        archive.extractall(folder)  # noqa: S202 - the archive is the engine's own
    if not (folder / INDEX).exists():
        raise EngineError(
            f"{reference} cannot be handed to a builder other than the engine's own: that takes Docker 25 or newer"
        )


def contexts(engine: Engine, request: Request, plan: Plan, builder: Builder) -> dict[str, str]:
    """Return where a builder finds the images that only the engine has."""
    if not BASES[plan.base].local or builder.driver == OWN:
        return {}
    folder = (request.project.state / "root").resolve()
    references = sorted({plan.images.root, plan.images.build_root})
    return {name: layout(engine, name, folder / name.replace(":", "-")) for name in references}
