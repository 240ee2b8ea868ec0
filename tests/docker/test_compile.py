"""What is compiled is what Cargo.lock names, whatever lies in cache mounts; with no secret and no network."""

from __future__ import annotations

import io
import json
import re
import subprocess
import tarfile
import uuid
import zlib
from contextlib import ExitStack

import pytest

from tests.docker import greeter as greeters
from tests.docker.project import CRATE, SERVICE, failure, tagged

POISON = """FROM {root}
COPY poison /poison
RUN --mount=type=cache,id={mount},target=/mount test -s "/mount/{name}" && cp /poison "/mount/{name}" && echo {once}
"""


@pytest.fixture
def greeter(make_project, engine, tmp_path_factory):
    """Make projects that bake the crate of an index of their own."""
    with ExitStack() as stack:

        def make(text: str, build_script: str = "", checksum: str = ""):
            index = stack.enter_context(greeters.serve(engine, tmp_path_factory.mktemp("index")))
            sha256 = index.publish(text, build_script.replace("ADDRESS", index.url.removeprefix("http://")))
            project = make_project()
            toml = (project.root / "baker.toml").read_text()
            (project.root / "netrc").write_text("machine example.com login me password secret\n")
            toml += f'[mirrors]\ncrates = "{index.url}"\n[secrets]\nnetrc = "{project.root}/netrc"\n'
            project.write("baker.toml", toml)
            pin = f'\n[crates.{greeters.NAME}]\nversion = "1.0.0"\nsha256 = "{checksum or sha256}"\n'
            project.write("baker.lock", (project.root / "baker.lock").read_text() + pin)
            project.write("services/hello/service.toml", SERVICE.replace(CRATE, greeters.NAME))
            return project, index

        yield make


def says(engine, project) -> str:
    return engine.containers.run(project.image, remove=True).decode().strip()


def build(project) -> None:
    done = project.build()
    assert done.returncode == 0, done.stdout + done.stderr


def poison(folder, root: str, mount: str, name: str, content: bytes) -> None:
    """Replace a file in a cache mount of the builder. It fails where there is no such file."""
    (folder / "Dockerfile").write_text(POISON.format(root=root, mount=mount, name=name, once=uuid.uuid4().hex))
    (folder / "poison").write_bytes(content)
    command = ["docker", "buildx", "build", "--progress=plain", "--output=type=cacheonly", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_changed_archive_in_the_cache_mount_is_fetched_again(greeter, engine, debian_root, tmp_path):
    text = uuid.uuid4().hex
    project, _ = greeter(text)
    build(project)
    sha256 = greeters.greeting(text).sha256
    poison(tmp_path, debian_root, "baker-crates", f"{sha256}.crate", greeters.greeting("poison").packed)
    again, index = greeter(text)
    build(again)
    assert f"/{greeters.DEPENDENCY}-1.0.0.crate" in index.asked
    assert says(engine, again) == text


def test_another_projects_units_are_not_taken(greeter, engine):
    """Names, versions, features, toolchain and mirror are the same, which is all that cargo compares."""
    # New words each time: the builder has compiled nothing of them, in another cache mount or without one.
    theirs, word = (f"{kind} {uuid.uuid4().hex}" for kind in ("theirs", "ours"))
    other, index = greeter(theirs)
    build(other)
    assert says(engine, other) == theirs
    ours, _ = greeter(word)
    text = (ours.root / "baker.toml").read_text()
    sha256 = index.publish(word)
    mirror = next(line for line in text.splitlines() if line.startswith("crates = "))
    ours.write("baker.toml", text.replace(mirror, f'crates = "{index.url}"'))
    assert sha256 in (ours.root / "baker.lock").read_text()
    build(ours)
    assert says(engine, ours) == word


def test_the_binary_says_what_it_is_made_of(greeter, engine):
    """As scanners find it: https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md."""
    project, _ = greeter(uuid.uuid4().hex)
    build(project)
    container = engine.containers.create(project.image)
    try:
        chunks, _ = container.get_archive(f"/opt/baker/bin/{greeters.NAME}-cpu")
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            member = archive.extractfile(archive.getmembers()[0])
            assert member is not None
            binary = member.read()
    finally:
        container.remove()
    starts = [at.start() for at in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", binary)]
    listed = [text for text in (inflated(binary[at:]) for at in starts) if text.startswith(b'{"packages":')]
    names = [package["name"] for package in json.loads(listed[0])["packages"]]
    assert names == [greeters.NAME, greeters.DEPENDENCY]


def inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data)
    except zlib.error:
        return b""


def test_a_dependency_that_is_not_the_locked_one(greeter, engine):
    project, index = greeter(uuid.uuid4().hex)
    (index.folder / f"{greeters.DEPENDENCY}-1.0.0.crate").write_bytes(greeters.greeting("poison").packed)
    said = failure(project.build(), 6)
    assert f"{greeters.DEPENDENCY} 1.0.0 has sha256" in said
    assert "the lock says" in said
    assert tagged(engine, project) == []


SINCE = 23
SPY = """
use std::{net::TcpStream, path::Path, time::Duration};
fn main() {
    let open = TcpStream::connect_timeout(&"ADDRESS".parse().unwrap(), Duration::from_secs(5)).is_ok();
    let secret = Path::new("/run/secrets/netrc").exists() || Path::new("/run/secrets/ca").exists();
    panic!("network {open}, secret {secret}");
}
"""


def test_build_scripts_see_no_network_and_no_secret(greeter, engine):
    project, _ = greeter(uuid.uuid4().hex, SPY)
    # The builder of Docker 20.10 does not know RUN --network.
    old = int(engine.version()["Version"].partition(".")[0]) < SINCE
    assert f"network {'true' if old else 'false'}, secret false" in failure(project.build(), 6)
