"""Fixtures for tests that start real containers."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from baker.build import root_image
from baker.config import platforms
from baker.config import project as projects
from baker.dockerfile import root as root_recipe
from tests import leftovers, run
from tests.docker import programs, publishing, pulling
from tests.docker import registry as registries
from tests.docker.here import ENGINE
from tests.docker.project import NAMESPACE, REGISTRY, Project, furnish, lay_out

if TYPE_CHECKING:
    from collections.abc import Iterator

# Projects whose images may be there.
MADE: list[Project] = []


@pytest.fixture(scope="session")
def debian_root() -> str:
    """The Debian root image that the debian base builds on, made when it is missing."""
    found = projects.find(Path(__file__).parent)
    here = platforms.of_machine(os.uname().machine)
    root = root_recipe.root(found.read_pins().debian, found.read_settings().mirrors, here)
    # One worker makes it, the others wait.
    with FileLock(run.CACHE / "root.lock"):
        root_image.ensure(ENGINE, root, print)
    return root.reference


@pytest.fixture(scope="session")
def engine():
    """A client for the engine that baker uses; without one, the engine says so in one line."""
    client = ENGINE.sdk
    yield client
    with ENGINE:
        leftovers.remove_images(client, NAMESPACE)
        leftovers.remove_dangling(client)


@pytest.fixture(scope="session")
def registry(engine, debian_root):
    """The address of a registry that needs no TLS and no login: BAKER_TEST_REGISTRY, or one of our own."""
    if REGISTRY:
        yield REGISTRY
        return
    with registries.running(engine, debian_root) as (address, _):
        yield address


@pytest.fixture(scope="session")
def with_cosign(engine, debian_root):
    """Put cosign on PATH: the machine's, or one in a container."""
    with programs.on_path(engine, debian_root, "cosign"):
        yield


@pytest.fixture(scope="session")
def with_skopeo(engine, debian_root):
    """Put skopeo on PATH: the machine's, or one in a container."""
    with programs.on_path(engine, debian_root, "skopeo"):
        yield


@pytest.fixture(scope="session")
def make_project(tmp_path_factory, debian_root, engine):
    """Make projects with one service, a small crate, on the debian base without a card."""
    assert debian_root
    assert engine.ping()

    def make() -> Project:
        found = Project(tmp_path_factory.mktemp("p"))
        shutil.copy(Path(__file__).parents[2] / "baker.lock", found.root)
        lay_out(found)
        MADE.append(found)
        return found

    return make


@pytest.fixture(scope="module", autouse=True)
def images_of_module():
    """Remove the images of the projects that a module makes, once it is done."""
    yield from _forgotten()


@pytest.fixture(autouse=True)
def images_of_test():
    """Remove the images of the projects that a test makes for itself, once it is done."""
    yield from _forgotten()


def _forgotten() -> Iterator[None]:
    """With hundreds of images, whatever lists or removes one makes an engine look at all of them."""
    begun = len(MADE)
    yield
    for project in MADE[begun:]:
        leftovers.remove_images(ENGINE.sdk, f"{NAMESPACE}/{project.root.name}/")
    del MADE[begun:]


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


@pytest.fixture(scope="module")
def shared(make_project):
    """One for the tests of a module that do not change what it is built from, or whose change never gets a tag."""
    project = make_project()
    done = project.build()
    assert done.returncode == 0, done.stdout + done.stderr
    return project


@pytest.fixture(scope="session")
def keys(tmp_path_factory, with_cosign):
    """A folder with a key pair for signing."""
    assert with_cosign is None
    return publishing.make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def make_furnished(make_project):
    """Make projects with one of everything in their image: the same in all workers, so that it is compiled once."""
    first = make_project()
    furnish(first, run.RUN)

    def make() -> Project:
        project = make_project()
        shutil.copytree(first.root / "services", project.root / "services", dirs_exist_ok=True)
        shutil.copy(first.root / "baker.lock", project.root)
        return project

    return make


@pytest.fixture
def publisher(make_furnished, keys, with_skopeo):
    """A project like that, with a key."""
    assert with_skopeo is None
    project = make_furnished()
    for name in ("cosign.key", "cosign.pub"):
        shutil.copy(keys / name, project.root)
    project.write("baker.toml", (project.root / "baker.toml").read_text() + publishing.SIGNED)
    return project


@pytest.fixture
def home(registry):
    """HOST/PATH of a registry, with nothing in it yet."""
    return f"{registry}/baker-test/{uuid.uuid4().hex[:8]}"


@pytest.fixture
def hub():
    """A hub with what the project's own configs name, and more."""
    with pulling.served() as found:
        yield found


@pytest.fixture
def baker(hub, tmp_path):
    """`baker models pull` with a cache of its own."""
    return pulling.Baker(hub, tmp_path / "cache")


@pytest.fixture
def place():
    """A volume, as compose makes one."""
    with pulling.made_volume() as name:
        yield name
