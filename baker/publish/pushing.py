"""skopeo: an OCI layout goes to a registry by its digest, without a tag.

skopeo knows registries as they are: chunks of any size, tokens that last minutes, mounts of layers from other
repositories, authorities under /etc/docker/certs.d. What a registry has already is not sent again.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baker.errors import NOT_STARTED, CommandError, EngineError, NetworkError
from baker.publish.export import blob
from baker.registry import advice, programs
from baker.registry.session import DISK_FULL, IS_FULL
from baker.system import image_names, process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from baker.registry.client import Manifest, Repository
    from baker.registry.references import Reference

TRIES = 5
REFUSED = re.compile(r"unauthorized|authentication required|\bdenied\b|\b40[13]\b", re.IGNORECASE)
# Amazon's registry makes no repository by itself: https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors.html
UNKNOWN = re.compile(r"name.unknown|repository with name .* does not exist", re.IGNORECASE)
# What skopeo says of an answer whose text it does not show.
SERVER_ERROR = re.compile(r"\b50[07]\b")
TOO_MANY = re.compile(r"too.?many.?requests|\b429\b", re.IGNORECASE)
# skopeo's last line, as in: time="…" level=fatal msg="writing blob: …"
MESSAGE = re.compile(r'level=(?:fatal|error) msg="((?:[^"\\]|\\.)*)"')

# An upload's address has its state in it: long, and of no use to people.
QUERY = re.compile(r"\?\S+?(?=[:,]?(?:\s|$))")


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """What a registry has after a push, and how many bytes of it were new there."""

    manifest: Manifest
    sent: int


@dataclass(frozen=True, kw_only=True)
class LayoutManifest:
    """A manifest of an OCI layout. `parts` are the descriptors of its config and layers; an index has none."""

    digest: str
    kind: str
    content: bytes
    parts: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a push failed, in one line; `final` where another try would fail as well."""

    line: str
    final: bool


class Pusher:
    """Pushes of one publisher.

    Args:
        environment: the one that skopeo runs in.
        say: takes a line for people when a push is tried again.
        wait: waits so many seconds.
    """

    def __init__(
        self, environment: Mapping[str, str], say: Callable[[str], None], wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._environment, self._say, self._wait = environment, say, wait

    def require(self) -> None:
        """Raise EngineError when skopeo is missing."""
        process.find("skopeo", programs.SKOPEO, env=self._environment)

    def push(self, repository: Repository, folder: Path, near: Sequence[str] = ()) -> Pushed:
        """Push the image of an OCI layout, without a tag.

        Args:
            repository: where it goes.
            folder: the layout, as BuildKit's exporter type=oci,tar=false writes it.
            near: repositories of the same registry that may have some of the layers already: these are not sent.

        Raises:
            NetworkError: the registry cannot be reached, refuses, or has something else afterwards.
        """
        top = json.loads((folder / "index.json").read_text(encoding="utf-8"))["manifests"][0]
        manifests = tuple(_manifests(folder, top))
        sent = self._new(repository, manifests, near)
        for manifest in manifests:
            if repository.digest(manifest.digest):
                continue
            sent += len(manifest.content)
            if manifest.parts:
                _require_own(repository)
                self._copy(repository, folder, manifest)
            else:
                repository.put(manifest.content, manifest.kind, manifest.digest)
        found = repository.find(manifests[-1].digest)
        if found is None:
            raise NetworkError(f"{repository.name}@{top['digest']} was pushed, and the registry does not have it")
        return Pushed(manifest=found, sent=sent)

    def _new(self, repository: Repository, manifests: Sequence[LayoutManifest], near: Sequence[str]) -> int:
        """Return the bytes of configs and layers that neither a repository nor, for layers, a neighbour of it has."""
        sizes = {part["digest"]: int(part["size"]) for manifest in manifests for part in manifest.parts}
        configs = {manifest.parts[0]["digest"] for manifest in manifests if manifest.parts}
        new = [part for part in sizes if not repository.has_blob(part)]
        for name in near:
            with repository.beside(name) as neighbour:
                if neighbour.reference.registry == repository.reference.registry:
                    # skopeo lets a registry take layers from there, and sends configs.
                    new = [part for part in new if part in configs or not neighbour.has_blob(part)]
        return sum(sizes[part] for part in new)

    def _copy(self, repository: Repository, folder: Path, manifest: LayoutManifest) -> None:
        """Run skopeo for one manifest, again where that may help: it does not retry what passes in a moment."""
        with _alone(folder, manifest) as layout:
            for attempt in range(1, TRIES + 1):
                # Anew each time: what a credential helper gives may not live long.
                with repository.logins.written(repository.reference.registry) as login:
                    argv = command(
                        repository.reference,
                        layout.name,
                        manifest.digest,
                        login=login,
                        certificates=repository.certificates.folder(repository.reference.registry),
                    )
                    try:
                        process.capture(argv, cwd=layout.parent, env=self._environment)
                    except CommandError as error:
                        if error.returncode == NOT_STARTED:
                            raise EngineError(f"skopeo does not start: {error.tail}; {programs.SKOPEO}") from error
                        _ask_why(repository, error)
                        failure = explain(repository.reference, error)
                        if failure.final or attempt == TRIES:
                            raise NetworkError(failure.line) from error
                        self._say(f"{failure.line}; trying again")
                    else:
                        return
                self._wait(2.0 ** (attempt - 2))


def _ask_why(repository: Repository, error: CommandError) -> None:
    """Raise NetworkError with what the registry itself says of an upload, where skopeo keeps only the status.

    A registry that wants to be left alone says for how long: our client waits for that.
    """
    if TOO_MANY.search(error.tail):
        repository.check_upload()
    if SERVER_ERROR.search(error.tail):
        try:
            repository.check_upload()
        except NetworkError as told:
            if IS_FULL in str(told):
                raise


def _require_own(repository: Repository) -> None:
    """Refuse a push with a login where uploads go to another origin: skopeo would send the login there too.

    Raises:
        NetworkError: they do.
    """
    registry = repository.reference.registry
    if repository.logins.find(registry) and (elsewhere := repository.foreign_uploads()):
        raise NetworkError(
            f"{repository.name}: the registry sends uploads to {elsewhere}, where its login must not go: "
            "has the registry been told its own address?"
        )


def command(
    reference: Reference, layout: str, digest: str, *, login: Path, certificates: Path | None = None
) -> list[str]:
    """Return the arguments of skopeo, for the folder above a layout: a path with a colon in it would be cut there.

    `login` is a config.json, and `certificates` the folder of those of the registry.
    """
    local = image_names.on_this_machine(reference.registry)
    return [
        "skopeo",
        # Whose signatures a machine wants to see on what it pulls is no matter of what is pushed.
        "--insecure-policy",
        "copy",
        "--preserve-digests",
        f"--dest-authfile={login}",
        *(["--dest-tls-verify=false"] if local else []),
        *([f"--dest-cert-dir={certificates}"] if certificates and not local else []),
        f"oci:{layout}",
        f"docker://{reference.at(digest)}",
    ]


def explain(reference: Reference, error: CommandError) -> Failure:
    """Return what a failed push means, in one line that says what to do."""
    messages = MESSAGE.findall(error.tail)
    said = messages[-1].replace('\\"', '"') if messages else " ".join(error.tail.split()) or str(error)
    said = QUERY.sub("", said)
    registry = reference.registry
    if DISK_FULL.search(said):
        hint = IS_FULL
    elif REFUSED.search(said):
        hint = f"the registry refuses: {advice.log_in(registry)}"
    elif UNKNOWN.search(said):
        hint = advice.make(reference)
    elif "x509" in said or "certificate" in said:
        hint = advice.trust(registry)
    else:
        again = "run the same command again: what has arrived is not sent again"
        return Failure(line=f"{reference.name}: skopeo cannot push: {said}; {again}", final=False)
    return Failure(line=f"{reference.name}: skopeo cannot push: {said}; {hint}", final=True)


def _manifests(folder: Path, descriptor: Mapping[str, Any]) -> Iterator[LayoutManifest]:
    """Yield the manifests of a layout, those of an index before it."""
    content = blob(folder, descriptor["digest"]).read_bytes()
    found = json.loads(content)
    for child in found.get("manifests", ()):
        yield from _manifests(folder, child)
    parts = (found["config"], *found["layers"]) if "config" in found else ()
    yield LayoutManifest(digest=descriptor["digest"], kind=descriptor["mediaType"], content=content, parts=parts)


@contextmanager
def _alone(folder: Path, manifest: LayoutManifest) -> Iterator[Path]:
    """Yield a layout beside another one, with one manifest of it alone.

    skopeo copies an index only if it may write notes into it about layers in zstd, which changes its digest
    (containers/image, manifest/oci_index.go); so each image goes by itself, and the index after them by our client.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="push-") as made:
        layout = Path(made)
        (layout / "blobs").symlink_to(Path("..", folder.name, "blobs"))
        (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")
        entry = {"mediaType": manifest.kind, "digest": manifest.digest, "size": len(manifest.content)}
        index = {"schemaVersion": 2, "manifests": [entry]}
        (layout / "index.json").write_text(json.dumps(index), encoding="utf-8")
        yield layout
