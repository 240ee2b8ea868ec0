"""The grammar of image names, as regular expressions that match a whole word between ^ and $.

Source: https://github.com/distribution/reference/blob/main/regexp.go. They are also valid in JSON Schemas.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_PATH_PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
# A first part without a dot or a port is a path on Docker Hub, as docker reads it; localhost is the exception.
HOST = (
    rf"(?:{_LABEL}(?:\.{_LABEL})+(?::[0-9]{{1,5}})?|{_LABEL}:[0-9]{{1,5}}|localhost|"
    r"\[[0-9a-fA-F:]+\](?::[0-9]{1,5})?)"
)
PATH = f"{_PATH_PART}(?:/{_PATH_PART})*"
# A registry, with or without a path: registry.example.com, ghcr.io/team.
REGISTRY = f"(?:{HOST}(?:/{PATH})?|{PATH})"
# A repository: registry.example.com/speech/stt, speech/stt.
REPOSITORY = f"(?:{HOST}/)?{PATH}"
TAG = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
DIGEST = "sha256:[0-9a-f]{64}"
# The longest name that docker takes: registry, path and service together.
LONGEST = 255


class Parts(NamedTuple):
    """What a reference names; a part that it does not name is empty."""

    host: str
    path: str
    tag: str
    digest: str


def split(text: str) -> Parts:
    """Return the parts of a reference, as in "ghcr.io/speech/stt:latest" or "baker/stt@sha256:…".

    Raises:
        ValueError: it is no reference; the message says which part is wrong, and why.
    """
    rest, at, digest = text.partition("@")
    name, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        name, colon, tag = rest, "", ""
    first, slash, path = name.partition("/")
    # Docker's rule of what is a host and no path on Docker Hub.
    host = first if slash and ("." in first or ":" in first or first == "localhost") else ""
    path = path if host else name
    if host and not re.fullmatch(HOST, host):
        raise ValueError(f"{host!r} is no HOST or HOST:PORT")
    for part in path.split("/"):
        if not re.fullmatch(_PATH_PART, part):
            raise ValueError(
                f"{part!r} is no part of a name: lower-case letters and digits, with '.', '_', '-' between"
            )
    if len(name) > LONGEST:
        raise ValueError(f"the name is longer than {LONGEST} characters")
    if colon and not re.fullmatch(TAG, tag):
        raise ValueError(f"{tag!r} is no tag: at most 128 letters, digits, '_', '.' and '-', not '.' or '-' first")
    if at and not re.fullmatch(DIGEST, digest):
        raise ValueError(f"{digest!r} is no digest: sha256: and 64 of 0-9a-f")
    return Parts(host, path, tag, digest)


def on_this_machine(host: str) -> bool:
    """Whether a HOST or HOST:PORT is this machine: localhost, 127.0.0.0/8 or [::1], and no name that looks like one."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
