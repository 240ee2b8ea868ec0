"""Engines and builders elsewhere: docker contexts, and builders that are not the engine's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import ExitStack
from typing import Any

import pytest

from tests.docker import bridge, credentials, image, second_engine
from tests.docker.project import CRATE, SAID, failure, tagged

SSHD = (
    "install -d -m 700 /root/.ssh && install -m 600 /key.pub /root/.ssh/authorized_keys && ssh-keygen -A"
    " && install -d /run/sshd && exec /usr/sbin/sshd -D -e"
)
SSH_CONFIG = """
IdentityFile {key}
IdentitiesOnly yes
BatchMode yes
StrictHostKeyChecking no
UserKnownHostsFile /dev/null
"""
OTHER = f'[crate]\nname = "{CRATE}"\n[[image.files]]\nfrom = "motd"\nto = "/app/motd"\n'


@pytest.fixture(scope="module")
def second(engine, debian_root, registry):
    with second_engine.running(engine, debian_root, registry=registry) as host:
        yield host


@pytest.fixture
def contexts(tmp_path, monkeypatch):
    """A configuration of docker's without any context."""
    monkeypatch.setenv("DOCKER_CONFIG", str(credentials.with_plugins(tmp_path)))


@pytest.fixture
def there(second, contexts):
    """A context of that name."""
    assert contexts is None
    create = ["docker", "context", "create", "there", f"--docker=host={second}"]
    subprocess.run(create, check=True, capture_output=True)
    return "there"


def images(host):
    return subprocess.check_output(["docker", "--host", host, "image", "ls"], text=True)


def test_a_build_goes_to_the_engine_of_a_context(project, engine, second, there, monkeypatch):
    done = project.baker("--context", there, "build", "hello")
    assert done.returncode == 0, done.stdout + done.stderr
    repository = project.image.partition(":")[0]
    assert repository in images(second)
    assert tagged(engine, project) == []
    # So does all else: containers of verify, and what is known of the builder.
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    assert project.baker("verify", "hello", DOCKER_CONTEXT=there).returncode == 0
    told = json.loads(project.baker("plan", "hello", "--json", DOCKER_CONTEXT=there).stdout)
    assert {item["state"] for item in told} == {"cached"}
    subprocess.run(["docker", "context", "use", there], check=True, capture_output=True)
    assert "nothing has changed" in project.build().stdout


@pytest.fixture
def by_ssh(engine, debian_root, second, tmp_path, monkeypatch):
    """The second engine's address on a machine that is reached by ssh: a container with a real server."""
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    launch: Any = engine.containers.run
    volumes = {second.removeprefix("unix://"): {"bind": "/var/run/docker.sock"}, f"{key}.pub": {"bind": "/key.pub"}}
    with image.made(engine, "sshd", debian_root, "docker-cli openssh-server") as tag:
        container = launch(
            tag, ["sh", "-c", SSHD], detach=True, init=True, volumes=volumes, ports={"22/tcp": ("127.0.0.1", None)}
        )
        try:
            container.reload()
            port = container.ports["22/tcp"][0]["HostPort"]
            # The user's own settings and keys are not touched.
            wrapper = tmp_path / "bin/ssh"
            wrapper.parent.mkdir()
            wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {tmp_path}/config "$@"\n')
            wrapper.chmod(0o755)
            (tmp_path / "config").write_text(SSH_CONFIG.format(key=key))
            monkeypatch.setenv("PATH", str(wrapper.parent), prepend=os.pathsep)
            yield f"ssh://root@127.0.0.1:{port}"
        finally:
            container.remove(force=True)


def test_a_build_goes_to_an_engine_behind_ssh(project, engine, second, by_ssh):
    done = project.build(DOCKER_HOST=by_ssh)
    assert done.returncode == 0, done.stdout + done.stderr
    assert project.image.partition(":")[0] in images(second)
    assert tagged(engine, project) == []
    assert project.baker("verify", "hello", DOCKER_HOST=by_ssh).returncode == 0
    said = failure(project.build("--force", DOCKER_HOST=by_ssh.replace("root@", "nobody@")), 4)
    assert by_ssh.replace("root@", "nobody@") in said


def test_a_context_that_is_not_there(project, contexts):
    assert contexts is None
    said = failure(project.baker("--context", "elsewhere", "build", "hello"), 4)
    assert "docker context ls" in said


@pytest.fixture
def builders(second, tmp_path, monkeypatch):
    """Two builders that are not the engine's own: BuildKit behind a socket, as on another machine or in Kubernetes."""
    monkeypatch.setenv("BUILDX_CONFIG", str(tmp_path / "buildx"))
    first = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    names = []
    with ExitStack() as stack:
        for name, host in (("here", first), ("there", second)):
            folder = tmp_path / name
            folder.mkdir()
            address = stack.enter_context(bridge.buildkit(host, folder))
            create = ["docker", "buildx", "create", "--driver=remote", f"--name=baker-test-{name}", address]
            subprocess.run(create, check=True, capture_output=True)
            names.append(f"baker-test-{name}")
        yield names


def test_builders_share_the_images_and_compile_once(project, builders, second, debian_root, engine, registry):
    # The other builder has no root image, and has never compiled.
    for command in (["image", "rm", debian_root], ["builder", "prune", "--all", "--force"]):
        subprocess.run(["docker", "--host", second, *command], check=True, capture_output=True)
    project.write("services/other/service.toml", OTHER)
    project.write("services/other/motd", "other\n")
    cache = f"{registry}/baker-test/{project.root.name}-{os.getpid()}"
    argv = ["build", "hello", "other", "--builder", ",".join(builders), "--cache-to", cache, "--json"]
    done = project.baker(*argv)
    assert done.returncode == 0, done.stdout + done.stderr
    # All images are in the engine that was asked, and run.
    for receipt in json.loads(done.stdout):
        assert engine.containers.run(receipt["image"], "--version", remove=True).decode().strip() == SAID
    here, there = (f"{name}:" for name in builders)
    lines = [line.split() for line in done.stderr.splitlines()]
    assert {line[0] for line in lines if line[1:2] == [f"binary-{CRATE}-cpu"]} == {here, there}, done.stderr
    assert {line[2] for line in lines if line[:2] == [there, f"binary-{CRATE}-cpu"]} == {"cached"}, done.stderr
    assert [line[0] for line in lines if line[1:2] == ["hello"]] == [here]
    assert [line[0] for line in lines if line[1:2] == ["other"]] == [there]
    assert "nothing has changed" in project.baker(*argv[:-1]).stdout


def test_when_one_builder_fails_the_others_are_ended_and_nothing_is_tagged(project, builders, engine):
    project.write(
        "services/other/service.toml", OTHER.replace("[crate]", '[image.packages]\ndebian = ["no-such"]\n[crate]')
    )
    project.write("services/other/motd", "other\n")
    said = failure(project.baker("build", "--builder", builders[0], "--builder", builders[1]), 6)
    assert "no-such" in said
    assert tagged(engine, project) == []


def test_a_builder_that_is_not_there(project):
    assert "docker buildx ls" in failure(project.build("--builder", "no-such-builder"), 4)
