"""The real form: moshi-server with a tiny speech-to-text model on the CPU, and a client that it transcribes."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING, Any

from baker.bench.startup.subject import Versions, addresses
from baker.errors import BakerError, LockError, UsageError
from baker.lock.sources import Sources
from baker.registry.client import Registries
from baker.speech.wire import KEY
from baker.synthetic import answers, stt_model
from baker.system import files
from baker.system.http import Http
from baker.system.units import GIGABYTE

if TYPE_CHECKING:
    from pathlib import Path

    from baker.build.request import Request

CRATE = "moshi-server"
# Silence, then nine quiet frames of 80 ms, in which the tiny model hears one word again and again.
AUDIO, WORD = "s3,q9", "hello"
PORT = 8080


class Speech:
    """The service stt of a project, as it is but for the config."""

    form = "real"
    service = "stt"
    command = "worker --config configs/stt.toml --cpu"
    room = 20 * GIGABYTE

    def __init__(self, request: Request) -> None:
        self._project, self._request = request.project, request

    def versions(self) -> Versions:
        """Return what baker.lock pins, and the release before it in the crate's index.

        Raises:
            LockError: the crate is not pinned, or it is its first release.
            NetworkError: the index cannot be reached.
        """
        pin = self._request.pins.crates.get(CRATE)
        if pin is None:
            raise LockError(f"{self._project.lock} pins no {CRATE}: run `baker lock`")
        with Http() as web:
            sources = Sources(mirrors=self._request.settings.mirrors, web=web, registries=Registries.of({}))
            before = sources.crate_before(CRATE, pin.version)
        return Versions(crate=CRATE, previous=before, pinned=pin)

    def lay_out(self, root: Path) -> None:
        """Copy the services and write the model, whose config takes the place of the service's own."""
        shutil.copytree(self._project.services_folder, root / "services", ignore=files.ignore_leftovers)
        stt_model.write_model(root / "models", seen_as="/models")

    def configure(self, root: Path, mark: str) -> None:
        """Let the server take the mark as its one key: a client with it gets in only when this config is in force."""
        text = (root / "models" / "stt.toml").read_text()
        key = f'authorized_ids = ["{KEY}"]'
        if key not in text:
            raise UsageError(f"the tiny model's config has no line {key}: its benchmark needs one")
        config = root / "services" / self.service / "configs" / "stt.toml"
        config.write_text(text.replace(key, f'authorized_ids = ["{mark}"]'))

    def said(self, container: Any, mark: str) -> bool:  # noqa: ANN401
        """Whether a client with the mark as its key gets its word transcribed."""
        for address in addresses(container):
            try:
                words = asyncio.run(answers.listen(f"{address}:{PORT}", AUDIO, key=mark))
            except (BakerError, TimeoutError):
                # Not yet: it starts, or it is the one from before.
                continue
            if words[:1] == (WORD,):
                return True
        return False
