"""Certificates of one registry: where they are looked for, and who gets them."""

from __future__ import annotations

import ssl
from dataclasses import replace

import pytest

from baker.errors import NetworkError
from baker.registry.certificates import SYSTEM, Certificates
from baker.registry.client import Registries
from tests.unit.registry.standin import manifest, registries

HOST = "registry.example.com:5000"
AUTHORITY = """\
-----BEGIN CERTIFICATE-----
MIIBojCCAUmgAwIBAgIUOYLx42p+7ZyyALdHPek5/DKC6jMwCgYIKoZIzj0EAwIw
JjEkMCIGA1UEAwwbYW4gYXV0aG9yaXR5IG9mIHRoZXNlIHRlc3RzMCAXDTI2MTEy
NjEyNDQzNFoYDzIxMjYxMTAyMTI0NDM0WjAmMSQwIgYDVQQDDBthbiBhdXRob3Jp
dHkgb2YgdGhlc2UgdGVzdHMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARrL8Dw
g/WpzHwvS6/zT+uy/TotKI+KELc9JJGNeDc1tQPSkogiSj43EtYnKkJuOhsnm6cr
530gCjZzT9X5Omcbo1MwUTAdBgNVHQ4EFgQU+lRNqai29a6bTFO1rw1x3Ku01OIw
HwYDVR0jBBgwFoAU+lRNqai29a6bTFO1rw1x3Ku01OIwDwYDVR0TAQH/BAUwAwEB
/zAKBggqhkjOPQQDAgNHADBEAiBHv8JdhATknpcxjkbrExWfd113AvccxOKWb/Qe
u+htZgIga3JvUEc6ZAE+UDneypdM3mT+PjUtITIW/QYUy+QTvcI=
-----END CERTIFICATE-----
"""


@pytest.fixture
def certificates(tmp_path):
    """A user's folder and the system's; the second one knows a registry."""
    folder = tmp_path / "system" / HOST
    folder.mkdir(parents=True)
    (folder / "ca.crt").write_text(AUTHORITY)
    return Certificates(folders=(tmp_path / "own", tmp_path / "system"))


def test_a_users_own_folder_goes_before_the_systems(certificates):
    own, system = certificates.folders
    assert certificates.folder(HOST) == system / HOST
    (own / HOST).mkdir(parents=True)
    # An empty folder says nothing.
    assert certificates.folder(HOST) == system / HOST
    (own / HOST / "ca.crt").write_text(AUTHORITY)
    assert certificates.folder(HOST) == own / HOST


@pytest.mark.parametrize(
    ("environment", "own"),
    [
        ({"HOME": "/home/me"}, "/home/me/.config/docker/certs.d"),
        ({"HOME": "/home/me", "XDG_CONFIG_HOME": "/config"}, "/config/docker/certs.d"),
    ],
)
def test_where_they_are(environment, own):
    folders = Certificates.of(environment).folders
    assert [folder.as_posix() for folder in folders] == [own, "/etc/docker/certs.d"]
    assert Certificates().folders == (SYSTEM,)


def test_an_authority_counts_for_its_registry_alone(certificates):
    der = ssl.PEM_cert_to_DER_cert(AUTHORITY)
    context = certificates.context(HOST)
    assert context is not None
    assert der in context.get_ca_certs(binary_form=True)
    assert ssl.DER_cert_to_PEM_cert(der) in certificates.bundle(HOST)
    for other in ("registry.example.com", "registry.example.com:5001"):
        assert certificates.context(other) is None
        assert certificates.bundle(other) == ""
        assert certificates.pairs(other) == ()


def test_the_certificate_of_a_client_has_a_key(certificates):
    folder = certificates.folder(HOST)
    (folder / "client.cert").write_text("")
    assert certificates.pairs(HOST) == ((folder / "client.cert", folder / "client.key"),)


def test_one_that_cannot_be_read_is_said(certificates):
    (certificates.folder(HOST) / "ca.crt").write_text("no certificate")
    connector = replace(registries(lambda _: manifest()).connector, certificates=certificates)
    with pytest.raises(NetworkError, match="a certificate that cannot be read"):
        Registries(connector=connector).repository(f"{HOST}/stt")
