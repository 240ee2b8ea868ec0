"""The real form: moshi-server with a tiny speech-to-text model on the CPU, and a client that it transcribes."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baker import sources
from baker.bench.subject import Versions, addresses
from baker.errors import LockError, UsageError
from baker.synthetic import stt_model

if TYPE_CHECKING:
    from types import ModuleType

    from baker.project import Project

GIGABYTE = 10**9
CRATE = "moshi-server"
CHECKOUT = Path(__file__).parents[2]
# Silence, then nine quiet frames of 80 ms, in which the tiny model hears one word again and again.
AUDIO, WORD = "s3,q9", "hello"
PORT = 8080


class Speech:
    """The service stt of a project, as it is but for the config."""

    form = "real"
    service = "stt"
    command = "worker --config configs/stt.toml --cpu"
    room = 20 * GIGABYTE

    def __init__(self, project: Project) -> None:
        self._project = project
        self._clients = load_client()

    def versions(self) -> Versions:
        """Return what baker.lock pins, and the release before it in the crate's index.

        Raises:
            LockError: the crate is not pinned, or it is its first release.
            NetworkError: the index cannot be reached.
        """
        pin = self._project.pins().crates.get(CRATE)
        if pin is None:
            raise LockError(f"{self._project.lock} pins no {CRATE}: run `baker lock`")
        before = sources.crate_before(CRATE, pin.version, self._project.settings().mirrors)
        return Versions(crate=CRATE, previous=before, pinned=pin)

    def lay_out(self, root: Path) -> None:
        """Copy the services and write the model, whose config takes the place of the service's own."""
        unused = shutil.ignore_patterns("target", "__pycache__")
        shutil.copytree(self._project.services_folder, root / "services", ignore=unused)
        stt_model.write_model(root / "models", seen_as="/models")

    def configure(self, root: Path, mark: str) -> None:
        """Let the server take the mark as its one key: a client with it gets in only when this config is in force."""
        text = (root / "models" / "stt.toml").read_text()
        key = f'authorized_ids = ["{self._clients.KEY}"]'
        if key not in text:
            raise UsageError(f"the tiny model's config has no line {key}: its benchmark needs one")
        config = root / "services" / self.service / "configs" / "stt.toml"
        config.write_text(text.replace(key, f'authorized_ids = ["{mark}"]'))

    def said(self, container: Any, mark: str) -> bool:  # noqa: ANN401
        """Whether a client with the mark as its key gets its word transcribed."""
        import websockets  # noqa: PLC0415 - of the development dependencies, as tests/synthetic is

        for address in addresses(container):
            try:
                words = asyncio.run(self._clients.listen(f"{address}:{PORT}", AUDIO, key=mark))
            except (OSError, TimeoutError, websockets.exceptions.WebSocketException):
                continue
            except self._clients.TurnedAwayError:
                continue
            if words[:1] == (WORD,):
                return True
        return False


def load_client() -> ModuleType:
    """Return the websocket client of the tests.

    Raises:
        UsageError: this is no checkout with its development dependencies.
    """
    if not (CHECKOUT / "tests" / "synthetic").is_dir():
        raise UsageError(
            "the benchmark of the real server works in a checkout of baker, where its client is (tests/synthetic); "
            "`baker bench --quick` works everywhere"
        )
    sys.path.insert(0, str(CHECKOUT))
    try:
        from tests.synthetic import clients  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the benchmark's client needs {error.name}, a development dependency: run scripts/setup.sh and take "
            ".venv/bin/baker"
        ) from error
    finally:
        sys.path.remove(str(CHECKOUT))
    return clients
