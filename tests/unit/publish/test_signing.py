"""cosign's arguments: those of cosign 2 and of cosign 3, with a key and without."""

from __future__ import annotations

import dataclasses
import json
import ssl
from pathlib import Path

import pytest
from msgspec.structs import replace

from baker.config.settings import Publishing
from baker.errors import CommandError, EngineError, NetworkError, UsageError, VerifyError
from baker.publish import signing
from baker.publish.signing import Signer
from baker.registry.certificates import Certificates
from baker.registry.client import Registries
from baker.registry.logins import Login
from baker.registry.session import Connector
from baker.system import process
from tests.unit.registry.standin import Known
from tests.unit.registry.test_certificates import AUTHORITY

KEY = Publishing(
    compression="zstd", key="cosign.key", public_key="cosign.pub", identity="", issuer="", transparency_log=False
)
KEYLESS = replace(KEY, key="", public_key="", identity="^https://github.com/x", issuer="https://issuer")
HOST = "registry.example.com"
IMAGE = f"{HOST}/stt@sha256:{'12' * 32}"
AUTHORITIES = ssl.create_default_context(cadata=AUTHORITY)
ENVIRONMENT = {"COSIGN_PASSWORD": "x"}
LOGIN = Login(name="me", password="secret")  # noqa: S106
HELP = {2: "    --tlog-upload=true:\n", 3: "    --signing-config='':\n    --tlog-upload=true:\n"}


@pytest.fixture(params=[2, 3])
def cosign(request, monkeypatch):
    """What cosign is called with, of either version; `fails` is what the next call prints as it fails."""
    calls = []

    def capture(argv, *, env):
        assert env.items() >= ENVIRONMENT.items()
        if IMAGE in argv:
            # The login that our own client and skopeo have, and no other one.
            told = json.loads(Path(env["DOCKER_CONFIG"], "config.json").read_text())
            assert told == {"auths": {HOST: LOGIN.entry}}
        if argv == ["cosign", "sign", "--help"]:
            return HELP[request.param]
        for argument in argv:
            if argument.startswith("--signing-config="):
                # It is there while cosign runs.
                assert Path(argument.partition("=")[2]).parent.is_dir()
        calls.append([argument.partition("=/")[0] for argument in argv[1:]])
        return ""

    monkeypatch.setattr(process, "capture", capture)
    return request.param, calls


def signer(settings, *folders):
    certificates = Certificates(folders=folders)
    registries = Registries(connector=Connector(logins=Known({HOST: LOGIN}), certificates=certificates))
    return Signer(settings=settings, environment=ENVIRONMENT, registries=registries)


def test_no_entry_in_the_public_log(cosign):
    version, calls = cosign
    signer(KEY).sign(IMAGE)
    signer(KEY).attest(IMAGE, "cyclonedx", Path("bill.json"))
    if version == 2:
        quiet, made = "--tlog-upload=false", []
    else:
        quiet, made = "--signing-config", [["signing-config", "create", *signing.EMPTY_CONFIG, "--out"]]
    common = ["--yes", "--key=cosign.key", quiet, IMAGE]
    assert calls == [
        *made,
        ["sign", *common],
        *made,
        ["attest", "--type=cyclonedx", "--predicate=bill.json", *common],
    ]


def test_an_entry_in_the_public_log_needs_no_option(cosign):
    _, calls = cosign
    signer(replace(KEY, transparency_log=True)).sign(IMAGE)
    signer(replace(KEYLESS, transparency_log=True)).sign(IMAGE)
    assert calls == [["sign", "--yes", "--key=cosign.key", IMAGE], ["sign", "--yes", IMAGE]]


def test_checking(cosign):
    _, calls = cosign
    signer(KEY).verify(IMAGE)
    signer(replace(KEYLESS, transparency_log=True)).verify_attestation(IMAGE, "cyclonedx")
    who = ["--certificate-identity-regexp=^https://github.com/x", "--certificate-oidc-issuer=https://issuer"]
    assert calls == [
        ["verify", "--key=cosign.pub", "--insecure-ignore-tlog=true", IMAGE],
        ["verify-attestation", "--type=cyclonedx", *who, IMAGE],
    ]


def test_certificates_of_the_registry_reach_cosign(monkeypatch, tmp_path):
    """cosign reads no certs.d, and takes what it is given in place of the system's authorities."""
    folder = tmp_path / HOST
    folder.mkdir()
    for name in ("ca.crt", "client.cert"):
        (folder / name).write_text(AUTHORITY)
    calls = []

    def capture(argv, *, env):
        calls.append((argv, Path(env["SSL_CERT_FILE"]).read_text()))
        return ""

    monkeypatch.setattr(process, "capture", capture)
    monkeypatch.setattr(Certificates, "context", lambda *_: AUTHORITIES)
    signer(KEY, tmp_path).verify(IMAGE)
    (((_, verb, *options), bundle),) = calls
    assert verb == "verify"
    assert options[:2] == [
        f"--registry-client-cert={folder}/client.cert",
        f"--registry-client-key={folder}/client.key",
    ]
    assert bundle == AUTHORITY


@pytest.mark.parametrize(
    "said",
    [
        'accessing entity: Get "https://registry.example.com/v2/": dial tcp: lookup registry.example.com: no such host',
        "signing x: UNAUTHORIZED: authentication required",
        "GET https://x: TOOMANYREQUESTS: You have reached your pull rate limit",
        "GET https://x: unexpected status code 503 Service Unavailable",
    ],
)
def test_a_registry_that_is_away_is_no_missing_signature(monkeypatch, said):
    def capture(argv, **_):
        raise CommandError(tuple(argv), 1, f"Error: {said}\nmain.go:69: error during command")

    monkeypatch.setattr(process, "capture", capture)
    with pytest.raises(NetworkError, match="run the same command again"):
        signer(KEY).verify(IMAGE)


def test_what_cosign_says_is_one_line(monkeypatch):
    def capture(argv, **_):
        raise CommandError(tuple(argv), 1, "WARNING: x\nError: no signatures found\nmain.go:69: error during command")

    monkeypatch.setattr(process, "capture", capture)
    with pytest.raises(VerifyError) as caught:
        signer(KEY).verify(IMAGE)
    assert str(caught.value) == f"{IMAGE}: cosign verify failed: no signatures found"


def test_what_is_missing(monkeypatch):
    with pytest.raises(EngineError, match="cosign is not installed: `make setup`"):
        dataclasses.replace(signer(KEY), environment={"PATH": "/nowhere"}).require()
    monkeypatch.setattr(process, "find", lambda *_, **__: "/usr/bin/cosign")
    signer(KEY).require()
    signer(KEYLESS).require()
    with pytest.raises(UsageError, match=r"\[publish\] key and public-key"):
        signer(replace(KEY, key="")).require()
