"""Signing with cosign 2 and with cosign 3, and nothing of it in the public log."""

from __future__ import annotations

import json
import os
import subprocess
import uuid

import pytest

from baker.errors import VerifyError
from baker.publish.pushing import Pusher
from tests.docker import layouts, programs
from tests.docker.publishing import anonymous, make_keys, make_signer


@pytest.fixture(scope="module")
def cosigns(engine, debian_root, with_cosign):
    """PATH with cosign 2 and with cosign 3: the machine's own is one of them, the other one runs in a container."""
    assert with_cosign is None
    own = os.environ["PATH"]
    lacking, other = (3, programs.newer) if major(own) == 2 else (2, programs.of_root)
    with other(engine, debian_root, "cosign") as folder:
        path = f"{folder}{os.pathsep}{own}"
        assert major(path) == lacking
        yield {major(own): own, lacking: path}


@pytest.fixture
def signers(cosigns, tmp_path):
    """Signers with one key, by the major version of their cosign."""
    made = {version: make_signer(tmp_path, PATH=path) for version, path in cosigns.items()}
    make_keys(tmp_path, PATH=cosigns[2])
    return made


def major(path):
    """Return the major version of the cosign of a PATH: 2 or 3. Debian's builds do not say it; their help differs."""
    command = ["cosign", "sign", "--help"]
    told = subprocess.run(command, env={**os.environ, "PATH": path}, check=True, capture_output=True)
    return 3 if b"--use-signing-config" in told.stdout else 2


@pytest.fixture(params=[2, 3])
def signer(request, signers):
    """A signer of either version."""
    return signers[request.param]


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
    make_keys(tmp_path, PATH=signer.environment["PATH"])
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
