"""The choice: what the user wants of a plan, besides services and pins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from baker.config.settings import Downloads

if TYPE_CHECKING:
    from baker.config.platforms import Platform


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the user chose.

    `capabilities` are whole numbers, 80 is 8.0; `root` is the debian base's root image;
    `link` says whether the builder knows `COPY --link`, and with it `RUN --network`;
    `variant` is slim, or builder for images with the toolchain;
    `platform` is what the images are for, and `build_platform` where they are compiled, on `build_root`;
    `local` is what the engine runs: images for others have their architecture in their tags here;
    `downloads` says how patient the downloads are;
    `page` says whether images have the web page of their service.
    """

    base: str
    accel: str
    capabilities: tuple[int, ...]
    root: str
    link: bool
    variant: str
    platform: Platform
    build_platform: Platform
    build_root: str
    local: Platform
    downloads: Downloads = field(default_factory=Downloads)
    page: bool = True
