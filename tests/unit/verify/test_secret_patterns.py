"""What looks like a secret, and what does not."""

from __future__ import annotations

import pytest

from baker.verify import secret_patterns


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
        '"private_key": "-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0B\\n"',
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\nlQOYBFZ0abcBCADQ0123",
        f"aws_secret_access_key = {'aB3/' * 10}",
        f'"aws_secret_access_key": "{"aB3/" * 10}"',
        "index-url = https://me:hunter2@pypi.example.com/simple",
    ],
)
def test_content(text):
    assert secret_patterns.in_content(b"\0" + text.encode() + b"\n")


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
        "https://user:password@host",
        "http://user:pass@example.com",
        "https://me:$TOKEN@example.com",
        "https://me:<token>@example.com",
        "https://example.com:8080/@scope",
        "aws_secret_access_key = <your key>",
    ],
)
def test_no_secret(text):
    assert not secret_patterns.in_content(text.encode())


# One that GnuTLS tests itself with, as it is in libgnutls.so.30.
SELF_TEST = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIH4WeqmZGZQlSY/8H85ZZimVd26h6I68gFNyBvyh3Vcy\n{}"
END = "-----END PRIVATE KEY-----\n"


def test_keys_that_everybody_has_are_no_secret():
    assert not secret_patterns.in_content(b"\0" + SELF_TEST.format(END).encode() + b"\0")


@pytest.mark.parametrize(
    "text",
    [
        SELF_TEST.format(END) + SELF_TEST.format(END).replace("MC4", "MC5"),
        SELF_TEST.format("AAAA\n" + END),
        SELF_TEST.format("\0" * 9000),
        SELF_TEST.format(END) + "x=hf_" + "a1B" * 11,
    ],
    ids=["and another", "longer", "without an end", "and a token"],
)
def test_a_key_beside_or_like_one_that_everybody_has(text):
    assert secret_patterns.in_content(text.encode())


@pytest.mark.parametrize(
    "text", ["HF_TOKEN=x", "PASSWORD=hunter2 true", "where=https://me:hunter2@example.com", f"x=hf_{'a' * 34}"]
)
def test_settings(text):
    assert secret_patterns.in_setting(text)


@pytest.mark.parametrize("text", ["HF_TOKEN=", "TOKEN=$TOKEN", "PATH=/usr/bin", "url=https://example.com:80/@x"])
def test_settings_without_a_secret(text):
    assert not secret_patterns.in_setting(text)


@pytest.mark.parametrize(
    "path",
    [
        "/root/.netrc",
        "/app/.env",
        "/root/.kube/config",
        "/etc/pip.conf",
        "/x/.npmrc",
        "/srv/x/.docker/config.json",
        "/home/a/.ssh/id_ed25519",
    ],
)
def test_names(path):
    assert secret_patterns.in_name(path)


@pytest.mark.parametrize("path", ["/usr/lib/netrc.py", "/app/config.json", "/home/a/.ssh/id_ed25519.pub"])
def test_names_without_a_login(path):
    assert not secret_patterns.in_name(path)
