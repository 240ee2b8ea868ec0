"""skopeo's arguments, and what its failures mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from baker.errors import CommandError
from baker.publish import pushing
from baker.registry.references import Reference

DIGEST = "sha256:" + "ab" * 32
FATAL = 'time="2026-11-25T13:25:14Z" level=fatal msg="{}"'


@pytest.mark.parametrize(
    ("name", "plain"),
    [("ghcr.io/me/stt", False), ("127.0.0.1:5000/stt", True), ("localhost.example.com/stt", False)],
)
def test_only_this_machine_is_spoken_to_without_tls(name, plain):
    folder = Path("/etc/docker/certs.d/x")
    login = Path("/tmp/x/config.json")
    argv = pushing.command(Reference.parse(name), "stt.oci", DIGEST, login=login, certificates=folder)
    assert ("--dest-tls-verify=false" in argv) is plain
    assert (f"--dest-cert-dir={folder}" in argv) is not plain
    assert f"--dest-authfile={login}" in argv
    assert argv[-2:] == ["oci:stt.oci", f"docker://{name}@{DIGEST}"]
    assert "--preserve-digests" in argv


@pytest.mark.parametrize(
    ("said", "hint", "final"),
    [
        (
            "writing blob: uploading layer to https://x/y?_state=abc&digest=z: unauthorized",
            "`docker login ghcr.io`",
            True,
        ),
        ("initiating layer upload: denied: permission_denied: write_package", "`docker login ghcr.io`", True),
        ("received unexpected HTTP status: 403 Forbidden", "`docker login ghcr.io`", True),
        ("name unknown: The repository with name 'me/stt' does not exist", "make the repository me/stt first", True),
        ("write /x: no space left on device", "the disk of the registry is full", True),
        (
            "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "/etc/docker/certs.d/ghcr.io",
            True,
        ),
        ("received unexpected HTTP status: 503 Service Unavailable", "run the same command again", False),
        ('Put \\"https://x\\": EOF', "run the same command again", False),
    ],
)
def test_a_failure_is_one_line_that_says_what_to_do(said, hint, final):
    tail = "Getting image source signatures\nCopying blob sha256:12\n" + FATAL.format(said)
    found = pushing.explain(Reference.parse("ghcr.io/me/stt"), CommandError(("skopeo",), 1, tail))
    assert hint in found.line
    assert found.final is final
    assert "\n" not in found.line
    assert "_state" not in found.line


def test_docker_hub_s_login_names_no_host():
    error = CommandError(("skopeo",), 1, FATAL.format("unauthorized"))
    assert "`docker login`, as" in pushing.explain(Reference.parse("me/stt"), error).line


def test_words_that_are_not_skopeo_s_own():
    found = pushing.explain(Reference.parse("me/stt"), CommandError(("skopeo",), 2, "flag provided\nbut not defined"))
    assert "flag provided but not defined" in found.line
