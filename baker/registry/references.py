"""References of images: a registry, a repository in it, and a tag or a digest."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from baker.errors import UsageError
from baker.system import image_names

DOCKER_HUB = "docker.io"
# Docker Hub's own images, as debian, are in a folder that nobody writes.
OFFICIAL = "library/"
ALIASES = {"index.docker.io": DOCKER_HUB, "registry-1.docker.io": DOCKER_HUB}


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A reference with its registry written out; `tag` and `digest` are empty where it names none."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Return what a text names. Without a host it is an image of Docker Hub, as for docker itself.

        Raises:
            UsageError: the text is no reference.
        """
        try:
            parts = image_names.split(text)
        except ValueError as error:
            raise UsageError(f"{text!r} is no image reference: {error}") from error
        registry = ALIASES.get(parts.host, parts.host) or DOCKER_HUB
        official = registry == DOCKER_HUB and "/" not in parts.path
        path = f"{OFFICIAL}{parts.path}" if official else parts.path
        return cls(registry=registry, repository=path, tag=parts.tag, digest=parts.digest)

    @property
    def name(self) -> str:
        """REGISTRY/REPOSITORY."""
        return f"{self.registry}/{self.repository}"

    @property
    def pointer(self) -> str:
        """What a registry is asked for: the digest, else the tag, else Docker's own default."""
        return self.digest or self.tag or "latest"

    def require_writable(self) -> None:
        """Raise UsageError where nobody can push: Docker Hub's names have two parts, and library/ is Docker's own."""
        if self.registry == DOCKER_HUB and (self.repository.startswith(OFFICIAL) or self.repository.count("/") != 1):
            raise UsageError(
                f"{self.name}: on Docker Hub a name has two parts, ACCOUNT/IMAGE: pass --registry {DOCKER_HUB}/ACCOUNT"
            )

    def at(self, digest: str) -> Reference:
        """Return the image of the same repository with a digest."""
        return replace(self, tag="", digest=digest)

    def tagged(self, tag: str) -> Reference:
        """Return the image of the same repository with a tag.

        Raises:
            UsageError: it is no tag.
        """
        if not re.fullmatch(image_names.TAG, tag):
            raise UsageError(f"{tag!r} is no tag for {self.name}")
        return replace(self, tag=tag, digest="")

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.name}{tag}" + (f"@{self.digest}" if self.digest else "")
