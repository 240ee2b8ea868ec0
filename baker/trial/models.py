"""The models of a server that is started to be tried: a volume, or a folder of this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baker.errors import UsageError
from baker.models import environment, volume

if TYPE_CHECKING:
    from collections.abc import Mapping

    from baker.engine.interface import Engine

# As docker-compose.yml calls it.
VOLUME = "huggingface"
NONE = "there are no models in {}: `baker models pull` fetches them; --synthetic takes a tiny model that needs none"


@dataclass(frozen=True, kw_only=True)
class Mounted:
    """A Hugging Face cache that a container gets. `source` is a volume or a folder, `user` who may write to it."""

    source: str
    target: str
    user: str

    def options(self) -> dict[str, Any]:
        """Return the options of `docker create`, as the SDK names them."""
        user = {"user": self.user} if self.user else {}
        return {"volumes": {self.source: {"bind": self.target, "mode": "rw"}}, **user}


def find(engine: Engine, given: str, home: str, variables: Mapping[str, str]) -> Mounted:
    """Return the models to mount at an image's HF_HOME.

    Args:
        engine: where the volume is.
        given: a volume, or a folder with a slash in it; empty takes compose's volume, or else the user's own cache.
        home: the image's HF_HOME.
        variables: the environment, which says where the user's cache is.

    Raises:
        UsageError: there is nothing of that name, or several volumes could be meant.
    """
    if given and "/" not in given:
        return Mounted(source=volume.find_volume(engine, given), target=home, user="")
    if not given:
        mine = f"label=com.docker.compose.volume={VOLUME}"
        found = engine.command("volume", "ls", "--quiet", "--filter", mine).split()
        if len(found) > 1:
            raise UsageError(f"several volumes have models: name one with --models, of {', '.join(sorted(found))}")
        if found:
            return Mounted(source=found[0], target=home, user="")
    place = environment.home(Path(given)) if given else environment.place(variables)
    if not place.hub.is_dir():
        raise UsageError(NONE.format(place.shown))
    owner = place.hub.stat()
    return Mounted(source=str(place.hub.resolve()), target=f"{home}/hub", user=f"{owner.st_uid}:{owner.st_gid}")
