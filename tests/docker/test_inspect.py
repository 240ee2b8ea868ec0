"""`baker inspect` on images of the engine: layers, and what differs between two images."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests import run

CHANGES = """
printf 12345678 > /etc/issue.net
rm /etc/debian_version
mkdir /new && printf 123 > /new/file
touch /etc/passwd
dpkg-query --show --showformat '${db:Status-Status} ${Package} ${Version}\\n' tzdata
sed -i '/^Package: tzdata$/,/^Version/ s/^Version: .*/Version: 9999/' /var/lib/dpkg/status
"""


def baker(*argv):
    done = subprocess.run(
        [sys.executable, "-m", "baker", "inspect", *argv], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def changed(engine, debian_root):
    """An image with one layer more than its root."""
    name = run.name("changed")
    container = engine.containers.create(debian_root, ["sh", "-euc", CHANGES], labels=run.LABELS)
    try:
        container.start()
        assert container.wait()["StatusCode"] == 0, container.logs()
        container.commit(name, "latest")
    finally:
        container.remove(force=True)
    yield f"{name}:latest"
    engine.images.remove(f"{name}:latest")


def test_layers_and_who_has_them_too(engine, debian_root, changed):
    (found,) = json.loads(baker(changed, "--json"))
    layers = engine.images.get(changed).attrs["RootFS"]["Layers"]
    assert {layer["digest"] for layer in found["layers"]} == set(layers)
    sizes = [layer["size"] for layer in found["layers"]]
    assert sizes == sorted(sizes, reverse=True)
    shared = {layer["digest"]: layer["shared"] for layer in found["layers"]}
    assert debian_root in shared[layers[0]]
    assert shared[layers[-1]] == []


def test_what_differs(debian_root, changed):
    found = json.loads(baker("--diff", debian_root, changed, "--json"))
    files = {file["path"]: (file["state"], file["after"]) for file in found["files"]}
    assert files["/etc/issue.net"] == ("changed", 8)
    assert files["/etc/debian_version"] == ("removed", 0)
    assert files["/new/file"] == ("added", 3)
    assert "/etc/passwd" not in files, "only its time has changed"
    assert [(item["kind"], item["name"], item["after"]) for item in found["packages"]] == [("deb", "tzdata", "9999")]
    assert found["sizes"][1] > found["sizes"][0] >= found["shared"] > 0


def test_two_that_are_the_same(debian_root):
    lines = baker("--diff", debian_root, debian_root).splitlines()
    assert lines[-2:] == ["0 packages differ", "0 files differ"]
