"""What must be in no image: tokens and keys, known by their form, and files that hold logins, known by their name."""

from __future__ import annotations

import re

# Who issues them says how they look: Hugging Face, GitHub, GitLab, AWS; and PEM. Not inside a word: "hf_hub…" is in the
# symbols of every binary with the crate hf-hub.
FORMS = (
    r"(?<![A-Za-z0-9])(?:hf_[A-Za-z0-9]{30,}"
    r"|gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{50,}"
    r"|glpat-[\w-]{20}"
    r"|AKIA[0-9A-Z]{16})"
)
PEM = r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
# In settings also a name that says what it is with a value to it, and a password in an address.
SETTING = re.compile(
    rf"(?i:token|password|passwd|secret|api_?key|credential)[A-Z_]*=[^\s$]|{FORMS}|{PEM}|://[^/\s:@]+:[^/\s:@]+@"
)
# A key has a body: its first line alone stands in many programs.
CONTENT = re.compile(rf"{FORMS}|{PEM}\s+(?:Proc-Type|[A-Za-z0-9+/]{{16}})".encode())
# Cheaper to look for than the expression; each of its alternatives has one of them.
MARKS = (b"hf_", b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_", b"glpat-", b"AKIA", b"PRIVATE KEY-----")
LOGINS = re.compile(
    r"/(\.netrc|\.git-credentials|\.pypirc|\.docker/config\.json|\.cargo/credentials(\.toml)?|\.aws/credentials"
    r"|\.ssh/id_\w+|huggingface/token|huggingface/stored_tokens)$"
)


def in_setting(text: str) -> bool:
    """Whether a setting such as NAME=VALUE, or an instruction of the history, looks as if it held a secret."""
    return SETTING.search(text) is not None


def in_name(path: str) -> bool:
    """Whether a file of this name holds a login."""
    return LOGINS.search(path) is not None


def in_content(content: bytes) -> bool:
    """Whether a file's content looks as if it held a secret."""
    return any(mark in content for mark in MARKS) and CONTENT.search(content) is not None
