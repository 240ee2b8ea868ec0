"""`baker publish`, `promote` and `rollback` with the rules of GitHub's registry and of Docker Hub, and with TLS.

Both want a login, which a credential helper has.
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import uuid
from dataclasses import replace

import pytest

from baker.errors import NetworkError
from baker.registry.client import Registries
from tests.docker import crates, credentials, flaky, rules
from tests.docker.project import failure
from tests.docker.publishing import PASSWORD, VERSION_TAG, anonymous, digest, publish, published


@pytest.fixture
def standin(tmp_path, monkeypatch):
    """Log in to a proxy's registry, with a login that a helper has; return HOST/PATH of something new in it."""

    def log_in(proxy):
        folder = credentials.helped(tmp_path / "docker", proxy.address)
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
        monkeypatch.setenv("DOCKER_CONFIG", str(folder))
        return f"{proxy.address}/baker-test-{uuid.uuid4().hex[:8]}"

    return log_in


@pytest.mark.parametrize("wanted", [rules.GITHUB, rules.DOCKER_HUB], ids=["github", "docker hub"])
def test_pushed_signed_checked_promoted_and_rolled_back(publisher, registry, standin, engine, wanted):
    with flaky.before(registry, wanted) as proxy:
        home = standin(proxy)
        ours = Registries.of(os.environ)
        # What every long push meets there.
        proxy.faults = [("HEAD", 429), ("POST", 503), ("PATCH", "cut before"), ("PUT", 502)]
        done = publish(publisher, home, "--release")
        assert done.returncode == 0, done.stderr
        assert proxy.faults == []
        assert rules.PASSWORD not in done.stdout + done.stderr
        (first,) = (item["digest"] for item in json.loads(done.stdout))
        publisher.write("services/hello/motd", "second\n")
        second = published(publisher, home)["digest"]
        latest = f"{home}/hello:latest"
        assert (digest(home, "latest", ours), digest(home, VERSION_TAG, ours)) == (first, second)
        assert publisher.baker("promote", f"{home}/hello:{VERSION_TAG}", latest).returncode == 0
        assert digest(home, "latest", ours) == second
        assert publisher.baker("rollback", latest).returncode == 0
        assert digest(home, "latest", ours) == first
        # An engine with the same login pulls it; nobody does without one.
        subprocess.run(["docker", "pull", "--quiet", latest], check=True, capture_output=True)
        engine.images.remove(latest)
        with pytest.raises(NetworkError, match=f"`docker login {proxy.address}`"):
            digest(home, "latest", anonymous(tries=1))
        # Logins went to the registry and to its token server; blobs came from the other host without one.
        assert proxy.gate.asked
        assert proxy.gate.strange
        assert not any(proxy.gate.strange)


def test_who_may_only_read_builds_nothing_in_vain(publisher, registry, standin):
    """A token of GitHub's without write:packages reads; that it cannot push is known before the build."""
    with flaky.before(registry, replace(rules.GITHUB, may=("pull",))) as proxy:
        said = failure(publish(publisher, standin(proxy)), 5)
        assert f"`docker login {proxy.address}`" in said
        assert not (publisher.root / ".baker/receipts").exists()


@pytest.fixture
def authority(tmp_path, engine):
    """The certificate of a registry at the engine's bridge, signed by itself; TLS with it."""
    key, certificate = tmp_path / "key.pem", tmp_path / "ca.crt"
    name = f"subjectAltName=IP:{crates.gateway(engine)}"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=registry"]
    files = ["-addext", name, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context


def test_a_private_authority_of_one_registry(publisher, registry, standin, engine, authority, tmp_path, monkeypatch):
    certificate, tls = authority
    with flaky.before(registry, rules.AZURE, crates.gateway(engine), tls) as proxy:
        home = standin(proxy)
        said = failure(publish(publisher, home), 5)
        assert f"its authority belongs into /etc/docker/certs.d/{proxy.address}/ca.crt" in said
        # Where a rootless engine looks for it; /etc/docker is root's.
        folder = tmp_path / f"config/docker/certs.d/{proxy.address}"
        folder.mkdir(parents=True)
        certificate.rename(folder / "ca.crt")
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        found = published(publisher, home, "--release")["digest"]
        latest = f"{home}/hello:latest"
        assert publisher.baker("promote", f"{home}/hello@{found}", latest).returncode == 0
        # For this registry alone.
        assert os.environ.get("SSL_CERT_FILE") != str(folder / "ca.crt")


def test_a_registry_without_tls_that_is_not_this_machine(publisher, registry, standin, engine):
    with flaky.before(registry, rules.AZURE, crates.gateway(engine)) as proxy:
        said = failure(publish(publisher, standin(proxy)), 5)
        assert f"{proxy.address} answers without TLS, which baker speaks only to this machine" in said
        assert proxy.gate.asked == []


def test_docker_hubs_names_are_said_before_anything_is_asked(publisher):
    for home in ("docker.io", "docker.io/me/speech"):
        done = publisher.baker("publish", "hello", "--registry", home, **PASSWORD)
        assert "ACCOUNT/IMAGE: pass --registry docker.io/ACCOUNT" in failure(done, 2)
