"""Mirrors of crates, of rustup and of NVIDIA's images, and secrets that reach no layer."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import re
import ssl
import subprocess
import uuid
from contextlib import ExitStack, suppress
from functools import partial
from typing import ClassVar

import docker
import pytest

from tests.docker import crates
from tests.docker.greeter import saying
from tests.docker.project import CRATE, REGISTRY, SERVICE, failure, tagged

CANARY = "canaryCanaryCANARYcanary0123456789"


class Index(crates.Quiet):
    """A crates index; the service's own crate wants a password. What was asked for, and the answer, is in `asked`."""

    asked: ClassVar[list[tuple[str, int]]]

    def send_head(self):
        wanted = f"Basic {base64.b64encode(f'me:{CANARY}'.encode()).decode()}"
        if "baker-greeter-1.0.0" in self.path and self.headers["Authorization"] != wanted:
            self.send_error(401)
            return None
        return super().send_head()

    def log_request(self, code="-", size="-"):
        del size
        self.asked.append((self.path, int(code)))


@pytest.fixture
def mirrored(project, engine, tmp_path):
    """The project with a crate from an index of its own, behind TLS of its own authority and a password.

    The index is at another port each time, so that nothing that used the secrets comes from the cache. The crate has
    a dependency that crates.io lacks: a build that asks there fails.
    """
    # A word of its own: an archive that another build has checked is not fetched again.
    greeter = saying(f"from the mirror {uuid.uuid4().hex}")
    folder = tmp_path / "www"

    gateway = crates.gateway(engine)
    key, bundle = tmp_path / "key.pem", tmp_path / "ca.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={CANARY}"]
    files = ["-addext", f"subjectAltName=IP:{gateway}", "-keyout", str(key), "-out", str(bundle)]
    subprocess.run([*command, *files], check=True, capture_output=True)
    (tmp_path / "netrc").write_text(f"machine {gateway} login me password {CANARY}\n")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle, key)

    class Asked(Index):
        asked: ClassVar[list[tuple[str, int]]] = []

    with crates.served(engine, partial(Asked, directory=str(folder)), context=context) as url:
        crates.lay_out(folder, url, greeter, *greeter.needs)
        with (project.root / "baker.toml").open("a") as file:
            file.write(f'[mirrors]\ncrates = "{url}/index"\n')
            file.write(f'[secrets]\nca = "{bundle}"\nnetrc = "{tmp_path}/netrc"\n')
        pin = f'\n[crates.baker-greeter]\nversion = "1.0.0"\nsha256 = "{greeter.sha256}"\n'
        project.write("baker.lock", (project.root / "baker.lock").read_text() + pin)
        project.write("services/hello/service.toml", SERVICE.replace(CRATE, "baker-greeter"))
        yield project, Asked.asked, bundle


def test_a_crates_mirror_and_secrets_that_are_in_no_layer(mirrored, engine):
    project, asked, bundle = mirrored
    # In the archive as it is, if the search works at all.
    project.write("services/hello/motd", CANARY[::-1])
    done = project.build(HF_TOKEN=CANARY, HUGGING_FACE_HUB_TOKEN=CANARY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert engine.containers.run(project.image, remove=True).startswith(b"from the mirror ")
    assert ("/baker-greeter-1.0.0.crate", 200) in asked, "the password was used"
    assert ("/baker-greeting-1.0.0.crate", 200) in asked, "dependencies come from the mirror too"
    certificate = ssl.PEM_cert_to_DER_cert(bundle.read_text())
    planted = {
        "token, password or the authority's name": CANARY.encode(),
        "the authority as text": bundle.read_text().splitlines()[3].encode(),
        "the authority in binary": certificate[100:200],
    }
    archive = b"".join(engine.images.get(project.image).save())
    assert CANARY[::-1].encode() in archive, "the search must be able to find something"
    kept = {str(path): path.read_bytes() for path in project.root.rglob(".baker/**/*") if path.is_file()}
    assert any(path.endswith("build.log") for path in kept)
    told = json.dumps([engine.images.get(project.image).attrs, engine.api.history(project.image)]).encode()
    for where, text in {
        "layers": archive,
        "history": told,
        "output": (done.stdout + done.stderr).encode(),
        **kept,
    }.items():
        for what, needle in planted.items():
            assert needle not in text, f"{what} is in {where}"


def test_a_crates_mirror_without_its_password(mirrored, engine):
    project, _, _ = mirrored
    toml = project.root / "baker.toml"
    toml.write_text("\n".join(line for line in toml.read_text().splitlines() if not line.startswith("netrc")) + "\n")
    assert "401" in failure(project.build(), 6)
    assert tagged(engine, project) == []


STAND_IN = """
FROM {root} AS runtime
FROM {root} AS devel
RUN apt-get update && apt-get install --yes --no-install-recommends cargo && rm -rf /var/lib/apt/lists/*
COPY --chmod=0755 nvcc /usr/local/cuda/bin/nvcc
COPY nvcc /usr/local/cuda/lib64/stubs/libcuda.so
"""
RUSTUP_INIT = b'#!/bin/sh\nmkdir -p "$CARGO_HOME/bin" && ln -s /usr/bin/cargo /usr/bin/rustc "$CARGO_HOME/bin/"\n'


@pytest.fixture
def rust_mirror(engine, tmp_path_factory):
    """A server with a stand-in rustup-init. Its address is part of the cache: the same in each run, when it is free."""
    folder = tmp_path_factory.mktemp("rust")
    target = folder / "rustup/archive/1.28.2/x86_64-unknown-linux-gnu"
    target.mkdir(parents=True)
    (target / "rustup-init").write_bytes(RUSTUP_INIT)
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with ExitStack() as stack:
        try:
            url = stack.enter_context(crates.served(engine, handler, port=38151))
        except OSError:
            url = stack.enter_context(crates.served(engine, handler))
        yield url


@pytest.fixture
def nvidia(project, debian_root, engine, rust_mirror, registry, tmp_path):
    """The project on the nvidia base, with stand-ins for NVIDIA's images behind a registry's prefix."""
    (tmp_path / "nvcc").write_text("#!/bin/sh\necho 'Cuda compilation tools, release 12.8, V12.8.93'\n")
    (tmp_path / "Dockerfile").write_text(STAND_IN.format(root=debian_root))
    lock, names = (project.root / "baker.lock").read_text().splitlines(), []
    for kind in ("devel", "runtime"):
        # The same name in every run: the registry has the layers then, and only the first run sends them.
        name = f"{registry}/baker-test/nvidia/cuda:{kind}"
        command = ["docker", "buildx", "build", "--push", "--provenance=false", f"--target={kind}", f"--tag={name}"]
        subprocess.run([*command, str(tmp_path)], check=True, capture_output=True)
        names.append(name)
        digest = engine.images.get_registry_data(name).id
        lock = [f'{kind} = "nvidia/cuda:{kind}@{digest}"' if line.startswith(f"{kind} = ") else line for line in lock]
    checksum = hashlib.sha256(RUSTUP_INIT).hexdigest()
    lock = [re.sub(r"(rustup-sha256-\w+) = .*", rf'\1 = "{checksum}"', line) for line in lock]
    project.write("baker.lock", "\n".join(lock) + "\n")
    text = (project.root / "baker.toml").read_text()
    mirrors = f'[mirrors]\nregistry = "{registry}/baker-test"\nrust = "{rust_mirror}"\n'
    project.write("baker.toml", text.replace('"debian"', '"auto"').replace('"cpu"', '"cuda"') + mirrors)
    project.write("services/hello/service.toml", f'{SERVICE}\n[crate.links]\ncuda = ["libc.so.6"]\n')
    yield project
    # Some image stores keep what was pushed.
    for name in names:
        with suppress(docker.errors.ImageNotFound):
            engine.images.remove(name, force=True)


@pytest.mark.nightly
def test_the_nvidia_base_through_a_registrys_prefix(nvidia, engine):
    done = nvidia.build("--compute-cap", "8.0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"base nvidia, since {REGISTRY} has its images" in done.stdout
    labels = engine.images.get(nvidia.image).labels
    assert (labels["dev.baker.base"], labels["dev.baker.cuda"], labels["dev.baker.capabilities"]) == (
        "nvidia",
        "12.8",
        "80",
    )
    assert engine.containers.run(nvidia.image, ["--version"], remove=True).decode().startswith(CRATE)


@pytest.mark.nightly
def test_a_rustup_that_is_not_the_pinned_one(nvidia, engine):
    lock = nvidia.root / "baker.lock"
    found = hashlib.sha256(RUSTUP_INIT).hexdigest()
    lock.write_text(lock.read_text().replace(found, "0" * 64))
    said = failure(nvidia.build(), 6)
    assert f"has sha256 {found}, the lock says {'0' * 64}" in said
    assert tagged(engine, nvidia) == []
