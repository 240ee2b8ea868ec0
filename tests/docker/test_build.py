"""`baker build` for real, with a small crate from crates.io as the service, and everything that can go wrong."""

from __future__ import annotations

import base64
import hashlib
import http.server
import io
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tarfile
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import docker
import pytest

from tests.docker.project import CRATE, NAMESPACE, REGISTRY, SERVICE, SHA256, VERSION, failure, layers, tagged

if TYPE_CHECKING:
    from tests.docker.project import Project

CANARY = "canaryCanaryCANARYcanary0123456789"


def test_the_image_runs_without_network_on_a_read_only_root(built, engine):
    output = engine.containers.run(
        built.image, ["--version"], network_mode="none", read_only=True, cap_drop=["ALL"], remove=True
    )
    assert output.decode().strip() == f"{CRATE} {VERSION}"


def test_a_second_build_compiles_nothing_and_says_so(built):
    done = built.build("--json", "--force")
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
    done = subprocess.run([*command, "out"], cwd=project.root, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert engine.containers.run(tag, ["--version"], remove=True).decode().startswith(CRATE)


def test_wrong_sha256(built, engine):
    before, tags = engine.images.get(built.image).id, tagged(engine, built)
    lock = built.root / "baker.lock"
    lock.write_text(lock.read_text().replace(SHA256, "0" * 64))
    said = failure(built.build(), 6)
    assert f"has sha256 {SHA256}, the lock says {'0' * 64}" in said
    assert "build.log" in said
    assert engine.images.get(built.image).id == before
    assert tagged(engine, built) == tags


def test_a_binary_that_does_not_link_what_it_should(project, engine):
    project.write("services/hello/service.toml", f'{SERVICE}\n[crate.links]\ncpu = ["libcuda.so.1"]\n')
    assert "does not link libcuda.so.1" in failure(project.build(), 6)
    assert tagged(engine, project) == []


def test_a_feature_that_the_crate_lacks(project, engine):
    project.write("services/hello/service.toml", f'{SERVICE}\n[crate.features]\ncpu = ["no-such-feature"]\n')
    assert "no-such-feature" in failure(project.build(), 6)
    assert tagged(engine, project) == []


def test_no_network_for_the_crates(project):
    with (project.root / "baker.toml").open("a") as file:
        file.write('[mirrors]\ncrates = "http://127.0.0.1:9/index/"\n')
    assert "Mirrors go into baker.toml" in failure(project.build(), 6)


def add_tool(project: Project, name: str, build_script: str) -> None:
    """Give the service a small program of its own, whose build script can do what a test needs."""
    folder = f"services/hello/{name}"
    project.write(f"{folder}/Cargo.toml", f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n')
    project.write(f"{folder}/Cargo.lock", f'version = 3\n[[package]]\nname = "{name}"\nversion = "0.1.0"\n')
    project.write(f"{folder}/src/main.rs", "fn main() {}\n")
    project.write(f"{folder}/build.rs", build_script)
    tools = f'[image]\ntools = ["{name}"]\n[[image'
    project.write("services/hello/service.toml", SERVICE.replace("[[image", tools, 1))


def running(pattern: str) -> list[str]:
    return subprocess.run(["pgrep", "--full", pattern], capture_output=True, text=True, check=False).stdout.splitlines()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda sent: sent.name)
def test_ctrl_c_and_its_like_end_it_at_once_and_leave_the_tags(built, engine, sent):
    """SIGTERM is what ends a job of CI, SIGHUP a closed terminal: buildx must not compile on by itself."""
    before, tags = engine.images.get(built.image).id, tagged(engine, built)
    name = f"slow-{os.getpid()}-{sent.name.lower()}"
    add_tool(built, name, "fn main() { std::thread::sleep(std::time::Duration::from_secs(120)) }\n")
    # buildx has the image's name among its arguments; the build script runs in the engine.
    client, script = f"tags={NAMESPACE}/{built.root.name}/", f"build/{name}-"
    command = [sys.executable, "-m", "baker", "build"]
    process = subprocess.Popen(command, cwd=built.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    log = built.root / ".baker/build.log"
    deadline = time.monotonic() + 120
    try:
        while f"Compiling {name}" not in (log.read_text() if log.exists() else "") or not running(script):
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()
            time.sleep(0.1)
        assert running(client), "the search must be able to find something"
        begun = time.monotonic()
        process.send_signal(sent)
        _, said = process.communicate(timeout=60)
        seconds = time.monotonic() - begun
    finally:
        process.kill()
    left = running(client)
    for pid in left:
        os.kill(int(pid), signal.SIGINT)
    assert left == []
    assert process.returncode == 130
    assert "the tags are as they were" in said
    assert seconds < 10
    while running(script):
        assert time.monotonic() < begun + 10, "the engine compiles on"
        time.sleep(0.1)
    assert engine.images.get(built.image).id == before
    assert tagged(engine, built) == tags


def test_a_full_disk_in_the_engine(project, engine):
    name = f"full-{os.getpid()}"
    add_tool(project, name, 'fn main() { std::fs::write("/dev/full", "x").unwrap() }\n')
    assert "The disk is full: `docker system df`" in failure(project.build(), 6)
    assert tagged(engine, project) == []


def test_a_full_disk_under_the_log(built, engine):
    before = engine.images.get(built.image).id
    log = built.root / ".baker/build.log"
    log.unlink()
    log.symlink_to("/dev/full")
    assert "no space left on" in failure(built.build("--force"), 4)
    assert engine.images.get(built.image).id == before
    assert not running(f"tags={NAMESPACE}/{built.root.name}/")


def test_no_daemon(project):
    said = failure(project.build(DOCKER_HOST="unix:///no/such.sock"), 4)
    assert "no Docker engine answers at unix:///no/such.sock" in said


def test_no_buildx(project, tmp_path):
    """No variable hides the plugins in the system's own folders, so that a docker without them stands in."""
    shim = tmp_path / "docker"
    shim.write_text(
        '#!/bin/sh\n[ "$1" != buildx ] || { echo "docker: \'buildx\' is not a docker command." >&2; exit 1; }\n'
        f'exec {shutil.which("docker")} "$@"\n'
    )
    shim.chmod(0o755)
    said = failure(project.build(PATH=f"{tmp_path}:{os.environ['PATH']}"), 4)
    assert "docker has no buildx: install the buildx plugin: `sudo apt-get install docker-buildx`" in said


def test_no_docker_program(project, tmp_path):
    assert "docker is not installed" in failure(project.build(PATH=str(tmp_path)), 4)


STALE_LOCK = 'version = 1\n[[package]]\nname = "speech"\nversion = "0"\nsource = { virtual = "." }\n'
PYPROJECT = '[project]\nname = "speech"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = ["numpy>=2"]\n'


@pytest.mark.parametrize(
    ("files", "argv", "code", "message"),
    [
        ({}, ["helo"], 2, "there is no service 'helo' in "),
        ({"services/hello/service.toml": "[crate\n"}, [], 2, "services/hello/service.toml: not valid TOML"),
        (
            {"services/hello/service.toml": '[crate]\nname = "new"\n'},
            [],
            3,
            "no version of the crate new: run `baker lock`",
        ),
        ({}, ["--compute-cap", "8.0,ampere"], 2, "'ampere' is no compute capability"),
        (
            {
                "services/hello/service.toml": f'{SERVICE}[python]\nproject = "."\nvenv = true\n',
                "services/hello/pyproject.toml": PYPROJECT,
                "services/hello/uv.lock": STALE_LOCK,
            },
            [],
            3,
            "uv.lock is out of date: [project] dependencies of",
        ),
    ],
    ids=["service", "toml", "pin", "capability", "uv.lock"],
)
def test_bad_input(project, engine, files, argv, code, message):
    for name, text in files.items():
        project.write(name, text)
    said = failure(project.baker("build", *argv), code)
    assert message in said
    assert len(said.splitlines()) == 1
    assert tagged(engine, project) == []


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


@contextmanager
def served(engine, handler, port=0, context=None):
    """Serve HTTP where builds can reach it, at the address that the engine's bridge has on the host."""
    gateway = engine.networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"]
    server = http.server.ThreadingHTTPServer((gateway, port), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"{'https' if context else 'http'}://{gateway}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def crate_file(name: str, files: dict[str, str]) -> bytes:
    """Return a .crate with these files, version 1.0.0."""
    manifest = f'[package]\nname = "{name}"\nversion = "1.0.0"\nedition = "2021"\n'
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, text in {**files, "Cargo.toml": manifest + files.get("Cargo.toml", "")}.items():
            entry = tarfile.TarInfo(f"{name}-1.0.0/{path}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


class Index(http.server.SimpleHTTPRequestHandler):
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

    def log_message(self, *_):
        pass


@pytest.fixture
def mirrored(project, engine, tmp_path):
    """The project with a crate from an index of its own, behind TLS of its own authority and a password.

    The index is at another port each time, so that nothing that used the secrets comes from the cache. The crate has
    a dependency that crates.io lacks: a build that asks there fails.
    """
    greeting = crate_file("baker-greeting", {"src/lib.rs": 'pub const TEXT: &str = "from the mirror";\n'})
    checksum = hashlib.sha256(greeting).hexdigest()
    locked = (
        'version = 3\n[[package]]\nname = "baker-greeter"\nversion = "1.0.0"\ndependencies = ["baker-greeting"]\n'
        '[[package]]\nname = "baker-greeting"\nversion = "1.0.0"\n'
        f'source = "registry+https://github.com/rust-lang/crates.io-index"\nchecksum = "{checksum}"\n'
    )
    main = 'fn main() { println!("{}", baker_greeting::TEXT) }\n'
    needs = '[dependencies]\nbaker-greeting = "1"\n'
    greeter = crate_file("baker-greeter", {"Cargo.toml": needs, "Cargo.lock": locked, "src/main.rs": main})
    entry = {"name": "baker-greeting", "vers": "1.0.0", "deps": [], "cksum": checksum, "features": {}, "yanked": False}
    folder = tmp_path / "www"
    (folder / "index/ba/ke").mkdir(parents=True)
    (folder / "index/ba/ke/baker-greeting").write_text(json.dumps(entry) + "\n")
    (folder / "baker-greeting-1.0.0.crate").write_bytes(greeting)
    (folder / "baker-greeter-1.0.0.crate").write_bytes(greeter)

    gateway = engine.networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"]
    key, bundle = tmp_path / "key.pem", tmp_path / "ca.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={CANARY}"]
    files = ["-addext", f"subjectAltName=IP:{gateway}", "-keyout", str(key), "-out", str(bundle)]
    subprocess.run([*command, *files], check=True, capture_output=True)
    (tmp_path / "netrc").write_text(f"machine {gateway} login me password {CANARY}\n")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle, key)

    class Asked(Index):
        asked: ClassVar[list[tuple[str, int]]] = []

    with served(engine, partial(Asked, directory=str(folder)), context=context) as url:
        (folder / "index/config.json").write_text(json.dumps({"dl": f"{url}/{{crate}}-{{version}}.crate"}))
        with (project.root / "baker.toml").open("a") as file:
            file.write(f'[mirrors]\ncrates = "{url}/index"\n')
            file.write(f'[secrets]\nca = "{bundle}"\nnetrc = "{tmp_path}/netrc"\n')
        pin = f'\n[crates.baker-greeter]\nversion = "1.0.0"\nsha256 = "{hashlib.sha256(greeter).hexdigest()}"\n'
        project.write("baker.lock", (project.root / "baker.lock").read_text() + pin)
        project.write("services/hello/service.toml", SERVICE.replace(CRATE, "baker-greeter"))
        yield project, Asked.asked, bundle


def test_a_crates_mirror_and_secrets_that_are_in_no_layer(mirrored, engine):
    project, asked, bundle = mirrored
    # In the archive as it is, if the search works at all.
    project.write("services/hello/motd", CANARY[::-1])
    done = project.build(HF_TOKEN=CANARY, HUGGING_FACE_HUB_TOKEN=CANARY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert engine.containers.run(project.image, remove=True) == b"from the mirror\n"
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
            url = stack.enter_context(served(engine, handler, port=38151))
        except OSError:
            url = stack.enter_context(served(engine, handler))
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
    lock = [f'rustup-sha256 = "{checksum}"' if line.startswith("rustup-sha256") else line for line in lock]
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


def test_a_rustup_that_is_not_the_pinned_one(nvidia, engine):
    lock = nvidia.root / "baker.lock"
    found = hashlib.sha256(RUSTUP_INIT).hexdigest()
    lock.write_text(lock.read_text().replace(found, "0" * 64))
    said = failure(nvidia.build(), 6)
    assert f"has sha256 {found}, the lock says {'0' * 64}" in said
    assert tagged(engine, nvidia) == []
