"""A CUDA toolkit from locked wheels: the table [toolkits] of a service.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from baker.config import values
from baker.config.model import Table, about


class Toolkit(Table, frozen=True, kw_only=True):
    """A CUDA release whose compiler, headers and libraries come from wheels, and what a service is with it."""

    project: Annotated[
        Path, about("A uv project with its lock, in place of [python] project; it locks the toolkit's wheels too.")
    ]
    group: Annotated[
        values.Group, about("The dependency group of the compiler and headers; the libraries are in `libraries-group`.")
    ] = "toolkit"
    home: Annotated[values.Inside, about("The folder of site-packages that has the toolkit's bin, include and lib.")]
    least: Annotated[str, about("The least compute capability that the crate compiles for with it.")]
    lock: Annotated[Path | None, about("A Cargo.lock in place of [crate] lock and of the crate's own.")] = None
    crates: Annotated[
        dict[values.Crate, values.Version],
        about(
            "What that lock has in other versions than the one that the crate is published with: `baker lock` makes it "
            "by this, with cargo."
        ),
    ] = msgspec.field(default_factory=dict)
    rust: Annotated[values.OptionalRust, about("The Rust that this lock wants at least, in place of [crate] rust.")] = (
        ""
    )
    extensions: Annotated[tuple[values.Distribution, ...], about("In place of [python] extensions.")] = ()
    libraries: Annotated[tuple[values.Libraries, ...], about("In place of [python] libraries.")]
    unused: Annotated[tuple[values.Pattern, ...], about("In place of [python] unused.")] = ()
    layers: Annotated[tuple[tuple[values.Inside, ...], ...], about("In place of [python] layers.")] = ()
    unresolved: Annotated[tuple[str, ...], about("In place of [verify] unresolved.")] = ()
    duplicates: Annotated[tuple[str, ...], about("In place of [verify] duplicates.")] = ()

    def __post_init__(self) -> None:
        if self.crates and not self.lock:
            raise ValueError("[toolkits] crates are versions in lock: name the Cargo.lock that has them")
