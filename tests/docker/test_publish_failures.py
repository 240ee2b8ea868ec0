"""Publishing to registries that really are full, or want another password: one clear line, no tag, and on it goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid

import pytest

from baker.registry.client import Registries
from tests.docker import credentials, flaky
from tests.docker import registry as registries
from tests.docker.project import failure
from tests.docker.publishing import PASSWORD, VERSION_TAG, digest, publish, published

STORE = "/var/lib/docker-registry"
LOGIN = "auth: {htpasswd: {realm: baker, path: /htpasswd/users}}\n"
NAME = "publisher"
# What `htpasswd -nbB publisher PASSWORD` prints, for the passwords "old" and "new".
OLD = "publisher:$2b$04$yOCXLRv79TgUYXiOs/Xtre9hEWbtFyTWVR.rY7kcqvwLuHt5EvsPy\n"
NEW = "publisher:$2b$04$wY4HJvgc092SEMDMHWXhSuQS96MGh78fiFPVQceb4HPHp6t9ij0ja\n"


@pytest.fixture
def full(engine, debian_root):
    """HOST/PATH of a registry whose disk has room for one image and is full, and what makes room on it."""
    with registries.running(engine, debian_root, tmpfs={STORE: "size=400m"}) as (address, container):
        fill = container.exec_run(["dd", "if=/dev/zero", f"of={STORE}/filler", "bs=1M"])
        assert b"No space left" in fill.output
        yield f"{address}/speech", lambda: container.exec_run(["rm", f"{STORE}/filler"])


@pytest.fixture
def guarded(engine, debian_root, tmp_path):
    """HOST/PATH of a registry that wants a login, and the file with its users."""
    users = tmp_path / "htpasswd/users"
    users.parent.mkdir()
    users.write_text(OLD)
    volumes = {str(users.parent): {"bind": "/htpasswd", "mode": "ro"}}
    with registries.running(engine, debian_root, LOGIN, volumes) as (address, _):
        yield f"{address}/speech", users


@pytest.fixture
def docker_config(tmp_path, monkeypatch):
    """A folder for docker's own logins, with the plugins that are there already."""
    folder = tmp_path / "config"
    folder.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(credentials.with_plugins(folder)))
    return folder


def test_credentials_that_are_missing_or_have_expired(publisher, guarded, docker_config):
    home, users = guarded
    host = home.partition("/")[0]
    hint = f"`docker login {host}`"
    assert hint in failure(publish(publisher, home), 5)
    # Nothing was built for a registry that would not take it.
    assert not (publisher.root / ".baker/receipts").exists()
    login = ["docker", "login", host, f"--username={NAME}", "--password-stdin"]
    subprocess.run(login, input=b"old", check=True, capture_output=True)
    assert (docker_config / "config.json").exists()
    first = published(publisher, home)["digest"]
    publisher.write("services/hello/motd", "second\n")
    users.write_text(NEW)
    done = publish(publisher, home)
    assert hint in failure(done, 5)
    assert digest_of_old(home, users) == first
    assert "old" not in done.stderr.split()
    subprocess.run(login, input=b"new", check=True, capture_output=True)
    last = published(publisher, home)["digest"]
    assert last == digest(home, VERSION_TAG, Registries.of(os.environ)) != first


def digest_of_old(home, users):
    """Return what the tag points to, as whoever knows the old password sees it while it holds again."""
    users.write_text(OLD)
    try:
        return digest(home, VERSION_TAG, Registries.of(os.environ))
    finally:
        users.write_text(NEW)


def test_a_full_registry_is_said_and_the_next_call_goes_on(publisher, full):
    home, make_room = full
    said = failure(publish(publisher, home), 5)
    assert "the disk of the registry is full" in said
    assert digest(home, VERSION_TAG) == ""
    assert make_room().exit_code == 0
    assert published(publisher, home)["digest"] == digest(home, VERSION_TAG)


def test_ctrl_c_while_a_layer_is_sent_leaves_no_tag_and_the_next_call_goes_on(publisher, registry):
    assert publisher.build().returncode == 0
    with flaky.before(registry) as proxy:
        home = f"{proxy.address}/baker-test/{uuid.uuid4().hex[:8]}"
        proxy.faults = [("PATCH", "slow")] * 50
        command = [sys.executable, "-m", "baker", "publish", "hello", "--registry", home]
        with subprocess.Popen(
            command, cwd=publisher.root, env={**os.environ, **PASSWORD}, stderr=subprocess.PIPE, text=True
        ) as process:
            while "PATCH" not in proxy.seen:
                assert process.poll() is None, process.communicate()
                time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate()
        assert process.returncode == 130
        assert "Traceback" not in said
        assert "interrupted" in said
        proxy.faults = []
        assert digest(home, VERSION_TAG) == ""
        assert published(publisher, home)["digest"] == digest(home, VERSION_TAG)
