"""What looks like a secret, and what does not."""

from __future__ import annotations

import pytest

from baker import leaks


@pytest.mark.parametrize(
    "text",
    [
        f"hf_{'a1B' * 11}",
        f"token: hf_{'a1B' * 11}\n",
        f"ghp_{'a' * 36}",
        f"github_pat_{'a' * 60}",
        f"glpat-{'a' * 20}",
        f"AKIA{'A' * 16}",
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B",
        "-----BEGIN RSA PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA",
    ],
)
def test_content(text):
    assert leaks.in_content(b"\0" + text.encode() + b"\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hf_hub_download",
        "_ZN6hf_hub3api4sync10ApiBuilder5build17h38ec4b45d8bdec90E",
        "hf_<your token>",
        "public_token",
        'PEM = "-----BEGIN PRIVATE KEY-----"',
        "-----BEGIN CERTIFICATE-----\nMIIEvQIBADANBgkqhkiG9w0B",
    ],
)
def test_no_secret(text):
    assert not leaks.in_content(text.encode())


@pytest.mark.parametrize(
    "text", ["HF_TOKEN=x", "PASSWORD=hunter2 true", "where=https://me:hunter2@example.com", f"x=hf_{'a' * 34}"]
)
def test_settings(text):
    assert leaks.in_setting(text)


@pytest.mark.parametrize("text", ["HF_TOKEN=", "TOKEN=$TOKEN", "PATH=/usr/bin", "url=https://example.com:80/@x"])
def test_settings_without_a_secret(text):
    assert not leaks.in_setting(text)


@pytest.mark.parametrize("path", ["/root/.netrc", "/srv/x/.docker/config.json", "/home/a/.ssh/id_ed25519"])
def test_names(path):
    assert leaks.in_name(path)


@pytest.mark.parametrize("path", ["/usr/lib/netrc.py", "/app/config.json", "/home/a/.ssh/id_ed25519.pub"])
def test_names_without_a_login(path):
    assert not leaks.in_name(path)
