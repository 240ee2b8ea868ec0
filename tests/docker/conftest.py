"""Fixtures for tests that start real containers."""

from __future__ import annotations

import os
import shutil
import signal
import uuid
from pathlib import Path

import pytest

from baker import bases
from baker import project as projects
from baker.engine import connect
from tests.docker import helpers, publishing
from tests.docker.project import CRATE, NAMESPACE, REGISTRY, SERVICE, SHA256, VERSION, Project, furnish


@pytest.fixture(scope="session", autouse=True)
def heeded_signals() -> None:
    """Let the programs under test heed signals that whoever runs the tests ignores, as nohup does with SIGHUP.

    That a signal is ignored is inherited; a handler is not.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


@pytest.fixture(scope="session")
def debian_root() -> str:
    """The Debian root image that the debian base builds on, made when it is missing."""
    found = projects.find(Path(__file__).parent)
    root = bases.root(found.pins().debian, found.settings().mirrors)
    bases.ensure(root, print)
    return root.reference


@pytest.fixture(scope="session")
def engine():
    """A client for the engine that baker uses; without one, connect() says so in one line."""
    with connect() as client:
        yield client
        for image in client.images.list():
            for tag in image.tags:
                if NAMESPACE in tag:
                    client.images.remove(tag, force=True)
        # What a second build took the tag from.
        for image in client.images.list(filters={"dangling": True, "label": "dev.baker.service=hello"}):
            client.images.remove(str(image.id), force=True)


@pytest.fixture(scope="session")
def registry(engine, debian_root):
    """The address of a registry that needs no TLS and no login: BAKER_TEST_REGISTRY, or one of our own."""
    if REGISTRY:
        yield REGISTRY
        return
    with helpers.registry(engine, debian_root) as (address, _):
        yield address


@pytest.fixture(scope="session")
def with_cosign(engine, debian_root):
    """Put cosign on PATH: the machine's, or one in a container."""
    if shutil.which("cosign"):
        yield
        return
    with helpers.cosign(engine, debian_root) as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(folder), prepend=os.pathsep)
        yield


@pytest.fixture(scope="session")
def make_project(tmp_path_factory, debian_root, engine):
    """Make projects with one service, a small crate, on the debian base without a card."""
    assert debian_root
    assert engine.ping()

    def make() -> Project:
        root = tmp_path_factory.mktemp("p")
        found = Project(root)
        name = f"{NAMESPACE}/{root.name}"
        found.write("baker.toml", f'[images]\nnamespace = "{name}"\n[build]\nbase = "debian"\naccel = "cpu"\n')
        lock = (Path(__file__).parents[2] / "baker.lock").read_text()
        found.write("baker.lock", f'{lock}\n[crates.{CRATE}]\nversion = "{VERSION}"\nsha256 = "{SHA256}"\n')
        found.write("services/hello/service.toml", SERVICE)
        found.write("services/hello/motd", "hello\n")
        return found

    return make


@pytest.fixture
def project(make_project):
    """A project that is not built yet."""
    return make_project()


@pytest.fixture
def built(project):
    """The same, built once."""
    done = project.build()
    assert done.returncode == 0, done.stdout + done.stderr
    return project


@pytest.fixture(scope="session")
def keys(tmp_path_factory, with_cosign):
    """A folder with a key pair for signing."""
    assert with_cosign is None
    return publishing.make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def publisher(make_project, keys):
    """A project with a key, and one of everything in its image."""
    project = make_project()
    furnish(project, uuid.uuid4().hex)
    for name in ("cosign.key", "cosign.pub"):
        shutil.copy(keys / name, project.root)
    project.write("baker.toml", (project.root / "baker.toml").read_text() + publishing.SIGNED)
    return project


@pytest.fixture
def home(registry):
    """HOST/PATH of a registry, with nothing in it yet."""
    return f"{registry}/baker-test/{uuid.uuid4().hex[:8]}"
