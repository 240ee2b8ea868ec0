"""What an engine downloads of published images: only what it has not got, counted between it and the registry."""

from __future__ import annotations

import json
import subprocess
import uuid

import pytest

from tests.docker import flaky, second_engine
from tests.docker.project import tagged
from tests.docker.publishing import PASSWORD, parts


@pytest.fixture
def proxy(registry):
    with flaky.before(registry) as found:
        yield found


@pytest.fixture
def elsewhere(engine, debian_root, proxy):
    with second_engine.running(engine, debian_root, registry=proxy.address) as host:
        # The lowest layer of all images is to come from the registry too.
        subprocess.run(["docker", "--host", host, "image", "rm", debian_root], check=True, capture_output=True)
        yield host


def test_a_second_service_and_a_changed_file_bring_their_own_bytes_alone(publisher, proxy, elsewhere):
    text = (publisher.root / "services/hello/service.toml").read_text()
    publisher.write("services/other/service.toml", text.replace('"environment"', '"../hello/environment"'))
    for name in ("greeter/Cargo.toml", "greeter/Cargo.lock", "greeter/src/main.rs"):
        publisher.write(f"services/other/{name}", (publisher.root / "services/hello" / name).read_text())
    publisher.write("services/other/motd", "another\n")
    home = f"{proxy.address}/baker-test/{uuid.uuid4().hex[:8]}"
    done = publisher.baker("publish", "hello", "other", "--json", "--registry", home, **PASSWORD)
    assert done.returncode == 0, done.stdout + done.stderr
    first, other = json.loads(done.stdout)
    publisher.write("services/hello/motd", "second\n")
    done = publisher.baker("publish", "hello", "--json", "--registry", home, **PASSWORD)
    assert done.returncode == 0, done.stdout + done.stderr
    (second,) = json.loads(done.stdout)

    known: dict[str, int] = {}
    taken = []
    for item in (first, other, second):
        proxy.blobs.clear()
        reference = f"{item['repository']}@{item['digest']}"
        command = ["docker", "--host", elsewhere, "pull", "--quiet", reference]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        wanted = parts(item["repository"], item["digest"])
        assert dict(proxy.blobs) == {part: size for part, size in wanted.items() if part not in known}
        taken.append(proxy.blobs.total())
        known |= wanted
    assert taken[0] == first["size"]
    # The other service has the same libraries and binary, and a file of its own.
    assert taken[1] < 50_000
    assert taken[2] < 50_000


def test_an_image_that_was_built_with_zstd_can_be_pushed_and_pulled(project, home, engine):
    settings = (project.root / "baker.toml").read_text()
    project.write("baker.toml", settings.replace("[build]\n", '[build]\ncompression = "zstd"\n'))
    project.write("services/hello/motd", f"{uuid.uuid4()}\n")
    done = project.build()
    assert done.returncode == 0, done.stdout + done.stderr
    name = f"{home}/hello"
    engine.images.get(project.image).tag(name, tag="zstd")
    engine.images.push(name, tag="zstd")
    for tag in (f"{name}:zstd", *tagged(engine, project)):
        engine.images.remove(tag)
    assert engine.images.pull(name, tag="zstd")
    engine.images.remove(f"{name}:zstd")
