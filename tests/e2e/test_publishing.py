"""The real speech-to-text image, published to a registry on this machine: what is listed, signed, and sent again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid

import pytest
import tomlkit

from baker.build import root_image
from baker.config import platforms
from baker.config.project import find
from baker.dockerfile import root as root_recipe
from baker.system import files
from tests import leftovers, run
from tests.docker import programs
from tests.docker import registry as registries
from tests.docker.here import ENGINE
from tests.docker.project import tags
from tests.docker.publishing import PASSWORD, make_keys, parts
from tests.e2e.conftest import PROJECT

NAMESPACE = run.name("publishing")
KINDS = (
    "pkg:cargo/candle-core@0.9.1",
    "pkg:cargo/moshi-server@0.6.4",
    "pkg:deb/debian/libssl3t64@",
    "pkg:deb/debian/tini@",
    "pkg:pypi/nvidia-cublas-cu12@",
    "pkg:pypi/nvidia-cuda-nvrtc-cu12@",
)
CONFIG_CHANGE = 50_000


@pytest.fixture(scope="module")
def outside():
    """A registry, cosign and skopeo: the machine's, or Debian's in containers."""
    found = find(PROJECT)
    root = root_recipe.root(
        found.read_pins().debian, found.read_settings().mirrors, platforms.of_machine(os.uname().machine)
    )
    root_image.ensure(ENGINE, root, print)
    client = ENGINE.sdk
    with programs.on_path(client, root.reference, "cosign"), programs.on_path(client, root.reference, "skopeo"):
        yield from _registry(client, root.reference)


def _registry(client, root):
    if address := os.environ.get("BAKER_TEST_REGISTRY"):
        yield address
        return
    with registries.running(client, root) as (address, _):
        yield address


@pytest.fixture(scope="module")
def copied(outside, tmp_path_factory):
    """A copy of the project that signs with a key of its own and has image names of its own."""
    assert outside
    root = tmp_path_factory.mktemp("publishing")
    shutil.copytree(PROJECT / "services", root / "services", ignore=files.ignore_leftovers)
    shutil.copy(PROJECT / "baker.lock", root)
    settings = tomlkit.parse((PROJECT / "baker.toml").read_text())
    settings["images"] = {"registry": "", "namespace": NAMESPACE, "tag": "latest"}
    settings["publish"] = {"key": "cosign.key", "public-key": "cosign.pub", "transparency-log": False}
    (root / "baker.toml").write_text(tomlkit.dumps(settings))
    make_keys(root)
    known = leftovers.dangling(ENGINE.sdk, "stt")
    yield root
    for tag in tags(ENGINE.sdk, f"{NAMESPACE}/"):
        ENGINE.sdk.images.remove(tag)
    leftovers.remove_dangling(ENGINE.sdk, "stt", known)


def published(root, home):
    done = subprocess.run(
        [sys.executable, "-m", "baker", "publish", "stt", "--json", "--registry", home],
        cwd=root,
        env={**os.environ, **PASSWORD},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (item,) = json.loads(done.stdout)
    return item


def test_published_signed_and_listed_and_a_changed_config_sends_next_to_nothing(copied, outside):
    home = f"{outside}/baker-test/{uuid.uuid4().hex[:8]}"
    first = published(copied, home)
    purls = [item["purl"] for item in json.loads((copied / first["sbom"]).read_text())["components"]]
    for kind in KINDS:
        assert any(purl.startswith(kind) for purl in purls), f"no {kind} among {len(purls)} packages"
    verify = ["cosign", "verify", "--key=cosign.pub", "--insecure-ignore-tlog=true", f"{home}/stt@{first['digest']}"]
    subprocess.run(verify, cwd=copied, check=True, capture_output=True)
    config = copied / "services/stt/configs/stt.toml"
    config.write_text(f"{config.read_text()}# changed\n")
    second = published(copied, home)
    before, after = (parts(f"{home}/stt", item["digest"]) for item in (first, second))
    new = {digest: size for digest, size in after.items() if digest not in before}
    assert new
    assert sum(new.values()) <= CONFIG_CHANGE, f"{sum(new.values())} of {sum(after.values())} bytes are new: {new}"
