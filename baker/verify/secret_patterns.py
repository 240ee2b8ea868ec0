"""What must be in no image: tokens and keys, known by their form, and files that hold logins, known by their name."""

from __future__ import annotations

import hashlib
import re

# Who issues them says how they look: Hugging Face, GitHub, GitLab, AWS.
FORMS = {
    "hf_": r"[A-Za-z0-9]{30,}",
    "gh[pousr]_": r"[A-Za-z0-9]{36}",
    "github_pat_": r"[A-Za-z0-9_]{50,}",
    "glpat-": r"[\w-]{20}",
    "AKIA": r"[0-9A-Z]{16}",
}
# PEM, as in files of Google; PGP.
PEM = r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----"
# A key has a body: its first line alone stands in many programs. In JSON, as Google's are, its lines end in "\n"; a PGP
# block may have headers before it.
PEM_BODY = r"(?:\s|\\n)+(?:Proc-Type|(?:[A-Z][a-z]+: .*\s+)*[A-Za-z0-9+/]{16})"
# Keys that are secret to nobody, by the sha256 of their body without line ends: GnuTLS tests itself with them, so they
# are in each libgnutls.so.30 (Debian 12 to 14; https://gitlab.com/gnutls/gnutls, lib/crypto-selftests-pk.c).
PUBLISHED = frozenset(
    {
        "24a2416c5abbb67327599619c25906553b849d79cbc413e2a061f12de6718838",
        "6d03bbf47115fad00d6f990593a6465ca693d0f6d797721cfc94b0190349b50d",
        "8f642f0351e1761dd3f7d8934a2da0a5eacd7f8a2c0440d8e2bf58ff2a6e847d",
        "9ab6db67523ba6071fdb948b3ce38349ec08fb726f359abbbca33a3a84238ba2",
        "bbe1aa11658d78c055f3d4ea85c76fa05c5728b7ad033122f87ff5948b2a5123",
        "bf552d2ff30b20f0b0ee2bcc357a5ab68dbe899ae09a0071b097bee2d2434332",
        "cadf1e62661d5d21a7fce2c80b3319022ee366137e4b302a7ea78b7f17d6f599",
        "f287c70b1db074fe73f73bfb1f09a8b0231e0d951d5bfd30a742bcb9de9195ab",
    }
)
PUBLISHED_BODY = re.compile(rb"([A-Za-z0-9+/=\s]{1,4096})-----END ")
AWS_VALUE = r"[\"' ]*[=:][\"' ]*[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])"
# A login in an address, but for those that documentation is full of.
LOGIN = r"[^/\s:@\"'<>]+:(?!(?i:pass(?:word|wd|phrase)?|pwd|secret|token|x+|\*+)@|[$<{%])[^/\s:@\"'<>]{3,}@[A-Za-z0-9]"


def _token(start: str) -> str:
    """Return the pattern of a token, but not inside a word: "hf_hub…" is a symbol in each binary with hf-hub."""
    return rf"{start}(?<![A-Za-z0-9]{start}){FORMS[start]}"


# In settings also a name that says what it is with a value to it, and a password in an address.
SETTING = re.compile(
    r"(?i:token|password|passwd|secret|api_?key|credential)[A-Z_]*=[^\s$]"
    rf"|{'|'.join(map(_token, FORMS))}|{PEM}|://[^/\s:@]+:[^/\s:@]+@"
)
# Each begins with letters that are looked for at the speed of memory; what stands before those is looked at after.
# As one expression they take six times as long.
CONTENT = tuple(
    re.compile(pattern.encode())
    for pattern in (
        *map(_token, FORMS),
        *(f"{key}(?<=(?i:aws_){key}){AWS_VALUE}" for key in ("secret_access_key", "SECRET_ACCESS_KEY")),
        f"://(?<=http://|ttps://){LOGIN}",
    )
)
KEY = re.compile(f"({PEM}){PEM_BODY}".encode())
LOGINS = re.compile(
    r"/(\.netrc|\.git-credentials|\.pypirc|\.docker/config\.json|\.cargo/credentials(\.toml)?|\.aws/credentials"
    r"|\.ssh/id_\w+|huggingface/token|huggingface/stored_tokens|\.env|\.npmrc|\.kube/config|pip\.conf)$"
)


def in_setting(text: str) -> bool:
    """Whether a setting such as NAME=VALUE, or an instruction of the history, looks as if it held a secret."""
    return SETTING.search(text) is not None


def in_name(path: str) -> bool:
    """Whether a file of this name holds a login."""
    return LOGINS.search(path) is not None


def in_content(content: bytes) -> bool:
    """Whether a file's content looks as if it held a secret."""
    return any(pattern.search(content) for pattern in CONTENT) or any(
        not _published(content, key) for key in KEY.finditer(content)
    )


def _published(content: bytes, key: re.Match[bytes]) -> bool:
    """Whether a PEM key is one that everybody has."""
    body = PUBLISHED_BODY.match(content, key.end(1))
    return body is not None and hashlib.sha256(b"".join(body[1].split())).hexdigest() in PUBLISHED
