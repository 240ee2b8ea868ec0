"""`baker build` for real, with a small crate from crates.io as the service, and everything that can go wrong."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import docker
import pytest

CRATE, VERSION = "choose", "1.3.7"
SHA256 = "d6b78d30d8479d5f57cd1e26192944220a43e641e13ac1274360d9ddd019b81f"
NAMESPACE = f"baker-test-{os.getpid()}"
REGISTRY = os.environ.get("BAKER_TEST_REGISTRY", "")
SERVICE = f"""
[crate]
name = "{CRATE}"
[[image.files]]
from = "motd"
to = "/app/motd"
"""
CANARY = "canaryCanaryCANARYcanary0123456789"


@dataclass(frozen=True)
class Project:
    """A project in a folder of its own, and the command line run in it."""

    root: Path

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def baker(self, *argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "baker", *argv],
            cwd=self.root,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )

    def build(self, *argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.baker("build", "hello", *argv, **environment)

    @property
    def image(self) -> str:
        return f"{NAMESPACE}/{self.root.name}/hello:latest"


@pytest.fixture(scope="module")
def engine():
    client = docker.from_env()
    client.ping()
    yield client
    for image in client.images.list():
        for tag in image.tags:
            if NAMESPACE in tag:
                client.images.remove(tag, force=True)
    client.close()


@pytest.fixture
def project(tmp_path_factory, debian_root, engine):
    """A project with one service, a small crate, on the debian base without a card."""
    assert debian_root
    assert engine.ping()
    root = tmp_path_factory.mktemp("p")
    found = Project(root)
    name = f"{NAMESPACE}/{root.name}"
    found.write("baker.toml", f'[images]\nnamespace = "{name}"\n[build]\nbase = "debian"\naccel = "cpu"\n')
    lock = (Path(__file__).parents[2] / "baker.lock").read_text()
    found.write("baker.lock", f'{lock}\n[crates.{CRATE}]\nversion = "{VERSION}"\nsha256 = "{SHA256}"\n')
    found.write("services/hello/service.toml", SERVICE)
    found.write("services/hello/motd", "hello\n")
    return found


@pytest.fixture
def built(project):
    """The same, built once."""
    done = project.build()
    assert done.returncode == 0, done.stdout + done.stderr
    return project


def layers(engine, image):
    return engine.images.get(image).attrs["RootFS"]["Layers"]


def failure(done: subprocess.CompletedProcess[str], code: int) -> str:
    """Return what a failed call said, after a look that it is no traceback and has the right exit code."""
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert sum(line.startswith("error: ") for line in done.stderr.splitlines()) == 1
    return done.stderr


def test_the_image_runs_without_network_on_a_read_only_root(built, engine):
    output = engine.containers.run(
        built.image, ["--version"], network_mode="none", read_only=True, cap_drop=["ALL"], remove=True
    )
    assert output.decode().strip() == f"{CRATE} {VERSION}"


def test_a_second_build_compiles_nothing_and_says_so(built):
    done = built.build("--json")
    assert re.search(r"binary-choose-cpu +cached\n", done.stderr)
    (receipt,) = json.loads(done.stdout)
    assert receipt["image"] == built.image
    assert all(stage["cached"] for stage in receipt["stages"])


def test_a_change_of_a_file_replaces_only_small_layers(built, engine):
    before = layers(engine, built.image)
    built.write("services/hello/motd", "hello again\n")
    assert built.build().returncode == 0
    after = layers(engine, built.image)
    changed = [place for place, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    history = engine.api.history(built.image)
    sizes = [entry["Size"] for entry in history if entry["CreatedBy"].startswith(("COPY", "WORKDIR"))]
    assert changed
    assert len(changed) <= 2
    assert changed[0] == len(after) - 2
    assert all(size < 10**6 for size in sizes[:2])


def test_crlf_makes_no_difference(built, engine):
    before = layers(engine, built.image)
    for name in ("motd", "service.toml"):
        path = built.root / "services/hello" / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert built.build().returncode == 0
    assert layers(engine, built.image) == before


def test_plain_buildx_builds_the_rendered_context(project, engine):
    assert project.baker("render", "hello", "--output", "out").returncode == 0
    bundle = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    tag = f"{NAMESPACE}/plain:latest"
    command = ["docker", "buildx", "build", "--load", f"--secret=id=ca,src={bundle}", f"--tag={tag}", "--target=hello"]
    subprocess.run([*command, "out"], cwd=project.root, check=True, capture_output=True)
    assert engine.containers.run(tag, ["--version"], remove=True).decode().startswith(CRATE)


def test_wrong_sha256(built, engine):
    before = engine.images.get(built.image).id
    lock = built.root / "baker.lock"
    lock.write_text(lock.read_text().replace(SHA256, "0" * 64))
    said = failure(built.build(), 6)
    assert f"has sha256 {SHA256}, the lock says {'0' * 64}" in said
    assert "build.log" in said
    assert engine.images.get(built.image).id == before


def test_a_binary_that_does_not_link_what_it_should(project, engine):
    project.write("services/hello/service.toml", f'{SERVICE}\n[crate.links]\ncpu = ["libcuda.so.1"]\n')
    assert "does not link libcuda.so.1" in failure(project.build(), 6)
    assert not [image for image in engine.images.list() if project.image in image.tags]


def test_a_feature_that_the_crate_lacks(project):
    project.write("services/hello/service.toml", f'{SERVICE}\n[crate.features]\ncpu = ["no-such-feature"]\n')
    assert "no-such-feature" in failure(project.build(), 6)


def test_no_network_for_the_crates(project):
    with (project.root / "baker.toml").open("a") as file:
        file.write('[mirrors]\ncrates = "http://127.0.0.1:9/index/"\n')
    assert "Mirrors go into baker.toml" in failure(project.build(), 6)


def test_ctrl_c_ends_it_at_once_and_leaves_the_tags(built, engine):
    before = engine.images.get(built.image).id
    built.write("services/hello/slow/Cargo.toml", '[package]\nname = "slow"\nversion = "0.1.0"\nedition = "2021"\n')
    built.write("services/hello/slow/Cargo.lock", 'version = 3\n[[package]]\nname = "slow"\nversion = "0.1.0"\n')
    built.write("services/hello/slow/src/main.rs", "fn main() {}\n")
    wait = "fn main() { std::thread::sleep(std::time::Duration::from_secs(600)) }\n"
    built.write("services/hello/slow/build.rs", wait)
    built.write("services/hello/service.toml", SERVICE.replace("[[image", '[image]\ntools = ["slow"]\n[[image', 1))
    command = [sys.executable, "-m", "baker", "build"]
    process = subprocess.Popen(command, cwd=built.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    log = built.root / ".baker/build.log"
    deadline = time.monotonic() + 120
    try:
        while "Compiling slow" not in (log.read_text() if log.exists() else ""):
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()
            time.sleep(0.2)
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "the tags are as they were" in said
    assert time.monotonic() - begun < 20
    assert engine.images.get(built.image).id == before
    left = subprocess.run(["pgrep", "-f", str(built.root)], capture_output=True, text=True, check=False)
    assert left.stdout == ""


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"DOCKER_HOST": "unix:///no/such.sock"}, "no Docker engine answers at unix:///no/such.sock"),
        ({"DOCKER_CONFIG": "/nowhere", "HOME": "/nowhere"}, "buildx"),
    ],
    ids=["no daemon", "no buildx"],
)
def test_a_missing_engine_or_plugin(project, environment, message):
    done = project.build(**environment)
    if "DOCKER_CONFIG" in environment and done.returncode == 0:
        # The distribution's own folder of plugins has it, which no variable hides.
        assert any(Path(folder, "docker-buildx").exists() for folder in PLUGIN_FOLDERS)
        return
    assert message in failure(done, 4)


PLUGIN_FOLDERS = (
    "/usr/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/local/lib/docker/cli-plugins",
)


def test_no_such_builder(project):
    assert "no such builder" in failure(project.build("--builder", "nobody"), 4)


def test_no_mmdebstrap(project, tmp_path):
    """With a mirror of its own the root is another one, which is not there yet."""
    for program in ("docker", "git"):
        (tmp_path / program).symlink_to(shutil.which(program) or program)
    with (project.root / "baker.toml").open("a") as file:
        file.write('[mirrors]\ndebian = "http://127.0.0.1:9/debian"\n')
    said = failure(project.build(PATH=str(tmp_path)), 4)
    assert "mmdebstrap is not installed" in said
    assert "apt-get install mmdebstrap" in said


def test_secrets_are_in_no_layer(project, engine, tmp_path):
    bundle = Path(os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")).read_text()
    (tmp_path / "ca.pem").write_text(f"{bundle}\n# {CANARY}\n")
    (tmp_path / "netrc").write_text(f"machine example.com login me password {CANARY}\n")
    with (project.root / "baker.toml").open("a") as file:
        file.write(f'[secrets]\nca = "{tmp_path}/ca.pem"\nnetrc = "{tmp_path}/netrc"\n')
    # A crate stage of its own, so that the secrets are really used.
    project.write("services/hello/motd", CANARY[::-1])
    done = project.build(HF_TOKEN=CANARY)
    assert done.returncode == 0, done.stderr
    assert CANARY not in done.stdout + done.stderr + (project.root / ".baker/build.log").read_text()
    assert CANARY not in json.dumps([engine.images.get(project.image).attrs, engine.api.history(project.image)])
    archive = b"".join(engine.images.get(project.image).save())
    assert CANARY[::-1].encode() in archive, "the search must be able to find something"
    assert CANARY.encode() not in archive


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
    """A server with a stand-in rustup-init, where builds can reach it."""
    folder = tmp_path_factory.mktemp("rust")
    target = folder / "rustup/archive/1.28.2/x86_64-unknown-linux-gnu"
    target.mkdir(parents=True)
    (target / "rustup-init").write_bytes(RUSTUP_INIT)
    gateway = engine.networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"]
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer((gateway, 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://{gateway}:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def nvidia(project, debian_root, engine, rust_mirror, tmp_path):
    """The project on the nvidia base, with stand-ins for NVIDIA's images behind a registry's prefix."""
    assert REGISTRY, "this test needs a registry without TLS: name it in BAKER_TEST_REGISTRY, as in 127.0.0.1:5000"
    (tmp_path / "nvcc").write_text("#!/bin/sh\necho 'Cuda compilation tools, release 12.8, V12.8.93'\n")
    (tmp_path / "Dockerfile").write_text(STAND_IN.format(root=debian_root))
    lock = (project.root / "baker.lock").read_text().splitlines()
    for kind in ("devel", "runtime"):
        name = f"{REGISTRY}/{NAMESPACE}/nvidia/cuda:{kind}"
        command = ["docker", "buildx", "build", "--load", f"--target={kind}", f"--tag={name}"]
        subprocess.run([*command, str(tmp_path)], check=True, capture_output=True)
        subprocess.run(["docker", "push", "--quiet", name], check=True, capture_output=True)
        digest = engine.images.get_registry_data(name).id
        lock = [f'{kind} = "nvidia/cuda:{kind}@{digest}"' if line.startswith(f"{kind} = ") else line for line in lock]
    checksum = hashlib.sha256(RUSTUP_INIT).hexdigest()
    lock = [f'rustup-sha256 = "{checksum}"' if line.startswith("rustup-sha256") else line for line in lock]
    project.write("baker.lock", "\n".join(lock) + "\n")
    text = (project.root / "baker.toml").read_text()
    mirrors = f'[mirrors]\nregistry = "{REGISTRY}/{NAMESPACE}"\nrust = "{rust_mirror}"\n'
    project.write("baker.toml", text.replace('"debian"', '"auto"').replace('"cpu"', '"cuda"') + mirrors)
    project.write("services/hello/service.toml", f'{SERVICE}\n[crate.links]\ncuda = ["libc.so.6"]\n')
    return project


def test_the_nvidia_base_through_a_registrys_prefix(nvidia, engine):
    done = nvidia.build("--compute-cap", "8.0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"base nvidia, since {REGISTRY} answers" in done.stdout
    labels = engine.images.get(nvidia.image).labels
    assert (labels["dev.baker.base"], labels["dev.baker.cuda"], labels["dev.baker.capabilities"]) == (
        "nvidia",
        "12.8",
        "80",
    )
    assert engine.containers.run(nvidia.image, ["--version"], remove=True).decode().startswith(CRATE)
