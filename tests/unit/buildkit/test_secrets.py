"""What a build must know and no layer may hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from baker.buildkit import secrets
from baker.config import project
from baker.errors import UsageError

BUNDLE = "etc/ssl/certs/ca-certificates.crt"


@pytest.fixture
def host(tmp_path):
    """A host's file system with a private authority."""
    return lay_out(tmp_path, "usr/local/share/ca-certificates/company.crt", BUNDLE)


def lay_out(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return root


def settings_with(**changes):
    return replace(project.find(Path("/")).read_settings(), **changes)


def test_a_hosts_private_authority_is_handed_in(host):
    assert secrets.collect(settings_with(), {}, host) == (("ca", host / BUNDLE),)


# What each has after its own tool has run: the file that an administrator added, and the bundles.
HOSTS = {
    "Debian": ("usr/local/share/ca-certificates/company/root.crt", BUNDLE),
    "Alpine": ("usr/local/share/ca-certificates/company.crt", BUNDLE, "etc/ssl/cert.pem"),
    "RHEL": ("etc/pki/ca-trust/source/anchors/company.pem", "etc/pki/tls/certs/ca-bundle.crt"),
    "Fedora": ("etc/pki/ca-trust/source/anchors/company.crt", "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"),
    "openSUSE": ("etc/pki/trust/anchors/company.pem", "etc/ssl/ca-bundle.pem", "var/lib/ca-certificates/ca-bundle.pem"),
    "MicroOS": ("etc/pki/trust/anchors/company.cer", "var/lib/ca-certificates/ca-bundle.pem"),
    "Arch": ("etc/ca-certificates/trust-source/anchors/company.crt", BUNDLE),
}


@pytest.mark.parametrize("names", HOSTS.values(), ids=HOSTS)
def test_every_distributions_private_authority_is_found(tmp_path, names):
    lay_out(tmp_path, *names)
    assert secrets.collect(settings_with(), {}, tmp_path) == (("ca", tmp_path / names[1]),)


@pytest.mark.parametrize("names", HOSTS.values(), ids=HOSTS)
def test_a_bundle_without_a_private_authority_stays_here(tmp_path, names):
    added, *bundles = names
    lay_out(tmp_path, *bundles, str(Path(added).with_name("README")))
    assert secrets.collect(settings_with(), {}, tmp_path) == ()


def test_an_authority_without_a_bundle_is_not_found(tmp_path):
    lay_out(tmp_path, "etc/pki/trust/anchors/company.pem")
    assert secrets.collect(settings_with(), {}, tmp_path) == ()


def test_public_authorities_are_not(tmp_path):
    assert secrets.collect(settings_with(), {}, tmp_path) == ()


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_a_bundle_that_the_environment_names_comes_first(host, tmp_path, variable):
    named = tmp_path / "named.pem"
    named.write_text("x")
    assert secrets.collect(settings_with(), {variable: str(named)}, host) == (("ca", named),)


def test_a_bundle_of_the_environment_that_is_not_there_is_passed_over(host):
    environment = {"SSL_CERT_FILE": "/no/such", "REQUESTS_CA_BUNDLE": ""}
    assert secrets.collect(settings_with(), environment, host) == (("ca", host / BUNDLE),)


def test_none_means_none(host):
    assert secrets.collect(settings_with(ca="none"), {"SSL_CERT_FILE": "/etc/hosts"}, host) == ()


@pytest.mark.parametrize("key", ["ca", "netrc"])
def test_a_file_that_is_not_there(key):
    with pytest.raises(UsageError, match=f"{key}: there is no file /no/such"):
        secrets.collect(settings_with(**{key: "/no/such"}), {})
