"""What the environment says about the Hugging Face hub: its address, the token and the cache's folder.

The variables, and which of them wins, are those of huggingface_hub:
https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from baker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

ENDPOINT = "https://huggingface.co"
TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
CACHES = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE")
# What HTTP lets into a header: a message about anything else would quote the token.
TOKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True, kw_only=True)
class Access:
    """How to reach the hub. `token` is empty for none; `notes` are for the user to read."""

    endpoint: str
    token: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Place:
    """A cache in a folder: `hub` holds the repositories, `shown` is the folder that the user named."""

    hub: Path
    shown: str


def access(environment: Mapping[str, str]) -> Access:
    """Return the hub's address and the token. A login that is stored in a file is not used.

    Raises:
        UsageError: the address is no URL, or the token has characters that no token has.
    """
    endpoint = environment.get("HF_ENDPOINT", "").strip().rstrip("/") or ENDPOINT
    try:
        url = urlsplit(endpoint)
        right = url.scheme in ("http", "https") and url.hostname and (url.port is None or url.port) and not url.query
    except ValueError:
        right = False
    if not right:
        raise UsageError(f"HF_ENDPOINT is {hidden(endpoint)!r}, which is no address of a hub like {ENDPOINT}")
    given = {name: environment[name].strip() for name in TOKENS if environment.get(name, "").strip()}
    for name, token in given.items():
        if not TOKEN.fullmatch(token):
            raise UsageError(f"{name} has spaces or other characters that no token has")
    differ = len(set(given.values())) > 1
    note = f"note: {TOKENS[0]} and {TOKENS[1]} are set and differ: {TOKENS[0]} is used"
    return Access(endpoint=endpoint, token=next(iter(given.values()), ""), notes=(note,) if differ else ())


def hidden(text: str) -> str:
    """Return a text without the user and password of the URLs in it."""
    return re.sub(r"//[^/\s]*@", "//", text)


def home(folder: Path) -> Place:
    """Return the cache in a folder that is laid out like HF_HOME."""
    return Place(hub=folder / "hub", shown=str(folder))


def place(environment: Mapping[str, str]) -> Place:
    """Return the cache that huggingface_hub would use."""
    for name in CACHES:
        if environment.get(name):
            hub = expanded(environment[name], environment)
            return Place(hub=hub, shown=str(hub))
    base = environment.get("XDG_CACHE_HOME") or "~/.cache"
    return home(expanded(environment.get("HF_HOME") or f"{base}/huggingface", environment))


def expanded(text: str, environment: Mapping[str, str]) -> Path:
    """Return a path with its `$NAME`, `${NAME}` and leading `~` replaced, as huggingface_hub does it.

    Raises:
        UsageError: there is no such user, or no home folder is known.
    """
    if text == "~" or text.startswith("~/"):
        text = environment.get("HOME", "~") + text[1:]
    text = re.sub(r"\$(?:(\w+)|\{(\w+)\})", lambda found: environment.get(found[1] or found[2], found[0]), text)
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{text}: {error}") from error
