"""The programs that publishing takes beside Docker, and where each is to be had."""

from __future__ import annotations

SKOPEO = (
    "`make setup` installs it (Debian, Ubuntu: `sudo apt-get install skopeo`; Fedora: dnf; macOS: brew); "
    "others: https://github.com/containers/skopeo/blob/main/install.md"
)
COSIGN = (
    "`make setup` installs it where the distribution has it (Debian 13: `sudo apt-get install cosign`); "
    "others: https://docs.sigstore.dev/cosign/system_config/installation/"
)
HINTS = {"skopeo": SKOPEO, "cosign": COSIGN}
