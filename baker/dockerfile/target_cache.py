"""The folder of compiled units that a compile starts from: whose units it may take."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from msgspec.structs import astuple

from baker.dockerfile.bases import BASES

if TYPE_CHECKING:
    from baker.config.pins import Pins
    from baker.config.settings import Mirrors
    from baker.dockerfile.choice import Choice
    from baker.dockerfile.plan import CratePlan


def name(crate: CratePlan, *, choice: Choice, cuda: str, pins: Pins, mirrors: Mirrors) -> str:
    """Return a name that no other crate's compile has, and no compile with a toolchain from elsewhere.

    cargo takes what is in the folder unseen. So it has to come from the same checked archive, whose Cargo.lock names
    all other crates by their sums, and from a compiler of the same place. The name is the same on every machine, as all
    that a Dockerfile says.
    """
    base = BASES[choice.base]
    toolchain = base.toolchain(pins, choice.build_platform, base.compiler(pins, crate))
    made_from = json.dumps([crate.sha256, toolchain, astuple(mirrors)])
    digest = hashlib.sha256(made_from.encode()).hexdigest()[:12]
    what = f"{choice.base}-{f'cuda{cuda}' if cuda else 'cpu'}-{digest}{choice.platform.suffix}"
    return f"{crate.name}-{crate.version}-{what}"
