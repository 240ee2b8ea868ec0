"""Images without their binary, which are exported and read while that compiles: what they share is known then."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from baker.system.aside import aside
from baker.verify import verifier

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future

    from baker.build.estimate import Estimate
    from baker.build.machine import Machine
    from baker.build.prepare import Prepared
    from baker.buildkit.progress import Progress
    from baker.engine.interface import Engine


def targets(prepared: Prepared, machine: Machine, expected: Estimate) -> tuple[str, ...]:
    """Return the environments that are to be made anew, where a compile leaves the time to export them.

    Other builders than the engine's own would send all that is in them twice.
    """
    work = {item.stage for item in expected.work}
    compiles = any(binary.stage in work for binary in prepared.plan.binaries)
    own = [builder.driver for builder in machine.builders] == ["docker"]
    if not own or not compiles or prepared.request.epoch is not None:
        return ()
    return tuple(stage for stage in prepared.plan.early if stage in work)


class Early:
    """The environments of one build, by their names in the image store. Each is read once it is there."""

    def __init__(self, engine: Engine, names: Mapping[str, str]) -> None:
        self.names = names
        self._engine = engine
        self._read: dict[str, Future[None]] = {}

    def watch(self, progress: Progress) -> None:
        """Begin to read what has been exported."""
        for target in self.names.keys() & progress.exports.keys() - self._read.keys():
            self._read[target] = aside(partial(verifier.read_ahead, self._engine, self.names[target]))

    def wait(self) -> None:
        """Wait until all that was begun is read, or could not be read: it is then read with the image."""
        for given in self._read.values():
            given.exception()

    def forget(self) -> None:
        """Take the names away again."""
        for name in self.names.values():
            self._engine.untag(name)
