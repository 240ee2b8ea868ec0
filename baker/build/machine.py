"""The machine: the engine, its builders, and what they can do. It is asked once, and what it said is handed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baker.buildkit import builder
from baker.config import platforms
from baker.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from baker.buildkit.builder import Builder
    from baker.config.platforms import Platform
    from baker.engine.interface import Engine, EngineInfo


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What is here. `buildx` is its version, `builders` are those that build, at least one."""

    engine: EngineInfo
    buildx: str
    builders: tuple[Builder, ...]

    @property
    def knows_link(self) -> bool:
        """Whether all builders know `COPY --link`."""
        return all(builder.knows_link for builder in self.builders)

    @property
    def local(self) -> Platform:
        """What the engine runs by itself."""
        return platforms.of_machine(self.engine.machine)

    @property
    def platform(self) -> Platform:
        """What is built where nobody names a platform: what the first builder itself runs on."""
        return platforms.find(self.builders[0].native[0])

    def compiles_on(self, platform: Platform) -> Platform:
        """Return the platform that compiles for a platform.

        Raises:
            EngineError: builders do it on different ones, so that they cannot share the work.
        """
        found = {each.compiles_on(platform).name: each.compiles_on(platform) for each in self.builders}
        if len(found) > 1:
            raise EngineError(
                f"the builders compile {platform.name} on {' and '.join(found)}: builders that share a build must be "
                "of one kind; name others with --builder"
            )
        return next(iter(found.values()))

    def builder(self, name: str) -> Builder:
        """Return the builder of a name; empty is the current one."""
        return next(builder for builder in self.builders if builder.name == name)


def probe(engine: Engine, builders: Sequence[str]) -> Machine:
    """Ask what is here.

    Args:
        engine: the engine.
        builders: names of buildx's builders; none means the current one.

    Raises:
        EngineError: no engine answers, buildx is missing, or there is no such builder.
    """
    # First of all: without an engine, buildx speaks of builders.
    here = engine.describe()
    buildx = builder.require_buildx(engine)
    found = tuple(builder.inspect(engine, name) for name in builders or ("",))
    return Machine(engine=here, buildx=buildx, builders=found)
