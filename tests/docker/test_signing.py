"""Signing with cosign 2 and with cosign 3, and nothing of it in the public log."""

from __future__ import annotations

import json
import os
import subprocess
import uuid

import pytest

from baker.config.settings import Publishing
from baker.errors import VerifyError
from baker.publish.pushing import Pusher
from baker.publish.signing import Signer
from tests.docker import layouts, programs
from tests.docker.publishing import PASSWORD, anonymous


@pytest.fixture(scope="module")
def cosign_3(engine, debian_root):
    """A folder for PATH with cosign 3."""
    with programs.newer(engine, debian_root, "cosign") as folder:
        path = f"{folder}{os.pathsep}{os.environ['PATH']}"
        command = ["cosign", "sign", "--help"]
        told = subprocess.run(command, env={**os.environ, "PATH": path}, check=True, capture_output=True)
        assert b"--use-signing-config" in told.stdout, "this is no cosign 3"
        yield folder


@pytest.fixture
def signers(with_cosign, cosign_3, tmp_path, monkeypatch):
    """Signers with one key, by the major version of their cosign."""
    assert with_cosign is None
    monkeypatch.chdir(tmp_path)
    settings = Publishing(
        compression="zstd", key="cosign.key", public_key="cosign.pub", identity="", issuer="", transparency_log=False
    )
    paths = {2: os.environ["PATH"], 3: f"{cosign_3}{os.pathsep}{os.environ['PATH']}"}
    made = {
        version: Signer(settings=settings, environment={**os.environ, **PASSWORD, "PATH": path}, registries=anonymous())
        for version, path in paths.items()
    }
    make_key(made[2])
    return made


@pytest.fixture(params=[2, 3])
def signer(request, signers):
    """A signer of either version."""
    return signers[request.param]


def make_key(signer):
    subprocess.run(["cosign", "generate-key-pair"], env=signer.environment, check=True, capture_output=True)


def test_signed_listed_and_checked(signer, registry, with_skopeo, tmp_path):
    assert with_skopeo is None
    name = f"{registry}/baker-test/{uuid.uuid4().hex[:8]}"
    bill = tmp_path / "bill.json"
    bill.write_text(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6"}))
    with anonymous().repository(name) as repository:
        pusher = Pusher(signer.environment, print)
        ours, theirs = (
            f"{name}@{pusher.push(repository, layouts.write(tmp_path / f'{who}.oci', os.urandom(99))).manifest.digest}"
            for who in ("ours", "theirs")
        )
    with pytest.raises(VerifyError, match="cosign verify failed"):
        signer.verify(ours)
    signer.attest(ours, "cyclonedx", bill)
    signer.sign(ours)
    signer.verify(ours)
    signer.verify_attestation(ours, "cyclonedx")
    with pytest.raises(VerifyError, match="cosign verify failed"):
        signer.verify(theirs)
    with pytest.raises(VerifyError, match="cosign verify-attestation failed"):
        signer.verify_attestation(theirs, "cyclonedx")
    # Another key did not sign it.
    (tmp_path / "cosign.key").unlink()
    (tmp_path / "cosign.pub").unlink()
    make_key(signer)
    with pytest.raises(VerifyError, match="cosign verify failed"):
        signer.verify(ours)


def test_a_newer_cosign_checks_what_an_older_one_signed_and_not_the_other_way_round(
    signers, registry, with_skopeo, tmp_path
):
    """As docs/publish.md says: cosign 3 leaves bundles, which cosign 2 does not look for."""
    assert with_skopeo is None
    name = f"{registry}/baker-test/{uuid.uuid4().hex[:8]}"
    with anonymous().repository(name) as repository:
        pushed = Pusher(os.environ, print).push(repository, layouts.write(tmp_path / "x.oci", os.urandom(99)))
    image = f"{name}@{pushed.manifest.digest}"
    signers[3].sign(image)
    signers[3].verify(image)
    with pytest.raises(VerifyError, match="cosign verify failed"):
        signers[2].verify(image)
    signers[2].sign(image)
    for signer in signers.values():
        signer.verify(image)
