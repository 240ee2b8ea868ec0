"""`baker lock` and the pins of crates."""

from __future__ import annotations

import json
import lzma

import pytest

from tests.docker.lock.project import lock
from tests.docker.pin_sources import PACKAGES

BACKPORTS = "/debian/dists/trixie-backports/main/binary-{}/Packages.xz"


@pytest.mark.parametrize(
    ("releases", "rust"),
    [
        ({"amd64": "1.96.1+x", "arm64": "1.96.1+x"}, "1.96"),
        ({"amd64": "1.96.1+x", "arm64": "1.93.1+x"}, ""),
        ({"amd64": "1.85.0+x", "arm64": "1.85.0+x"}, ""),
        ({}, ""),
    ],
    ids=["newer", "not for every platform", "not newer", "none"],
)
def test_the_rust_of_debians_backports(speech, server, releases, rust):
    """A crate that wants it is pinned with what it wants; without it comes an older release."""
    for architecture, version in releases.items():
        server.content[BACKPORTS.format(architecture)] = lzma.compress(PACKAGES.format("rustc", version).encode())
    (speech.root / "baker.toml").write_text('[build]\nbase = "debian"\n' + (speech.root / "baker.toml").read_text())
    server.content["/index/th/in/thing"] += "\n" + json.dumps(
        {"vers": "2.0.0", "cksum": "dd" * 32, "yanked": False, "rust_version": "1.88"}
    )
    lines = lock(speech, (), write=True).lines
    pins = speech.read_pins()
    assert (pins.debian.rust, pins.debian.rust_backports) == ("1.85", rust)
    assert (pins.crates["thing"].version, pins.crates["thing"].rust) == (("2.0.0", "1.88") if rust else ("1.2.0", ""))
    assert f"crate thing none → {pins.crates['thing'].version}" in lines
    assert not [line for line in lines if line.startswith("crate thing rust")]


def test_a_crate_that_was_published_anew_under_its_version(speech, server):
    lock(speech, (), write=True)
    server.content["/index/th/in/thing"] = json.dumps({"vers": "1.2.0", "cksum": "ee" * 32, "yanked": False})
    assert lock(speech, ("thing",), write=True).lines == [f"crate thing sha256 {'cc' * 32} → {'ee' * 32}"]


def test_a_crate_that_no_service_bakes_is_dropped(speech, server):
    lock(speech, (), write=True)
    service = speech.root / "services/hello/service.toml"
    text = service.read_text()
    service.write_text(text.replace("thing", "other"))
    server.content["/index/ot/he/other"] = json.dumps({"vers": "3.0.0", "cksum": "ff" * 32, "yanked": False})
    told = ["crate other none → 3.0.0", "crate thing is pinned no longer: no service bakes it"]
    assert lock(speech, (), write=False).lines == told
    assert lock(speech, (), write=True).lines == told
    assert set(speech.read_pins().crates) == {"other"}
    # People add a pin at the end of the file.
    again = speech.lock.read_text() + f'\n[crates.added]\nversion = "1"\nsha256 = "{"aa" * 32}"\n'
    speech.lock.write_text(again + f'[crates.too]\nversion = "1"\nsha256 = "{"bb" * 32}"\n')
    said = [f"crate {name} is pinned no longer: no service bakes it" for name in ("added", "too")]
    assert lock(speech, (), write=True).lines == said
    assert set(speech.read_pins().crates) == {"other"}
    # A crate of a folder has no pin.
    (service.parent / "mine").mkdir()
    service.write_text(text.replace('name = "thing"', 'name = "other"\npath = "mine"'))
    assert lock(speech, (), write=True).lines == ["crate other is pinned no longer: no service bakes it"]
    assert speech.read_pins().crates == {}
