"""The matrix brings up engines, which takes root: anybody else is told in one line what was not tested."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from baker.build import root_image
from baker.config import platforms
from baker.config import project as projects
from baker.dockerfile import root as root_recipe
from tests.docker.here import ENGINE
from tests.engines import registry, suites

if TYPE_CHECKING:
    from collections.abc import Generator

CHECKOUT = projects.find(Path(__file__).parent)
REASON = pytest.StashKey[str]()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the tests out where no engine can be brought up; a skipped test would be a failure."""
    lacking = suites.lacking()
    if collection_path.name.startswith("test_") and lacking:
        config.stash[REASON] = lacking
        return True
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if reason := config.stash.get(REASON, ""):
        engines = ", ".join(suite.docker for suite in suites.SUITES.values())
        terminalreporter.write_line(f"not tested: podman, and the scenario on Docker {engines}: {reason}")


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    yield
    if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and session.config.stash.get(REASON, ""):
        session.exitstatus = pytest.ExitCode.OK


@pytest.fixture(scope="session")
def port(tmp_path_factory):
    """The port of an empty registry on 127.0.0.1."""
    with registry.running(tmp_path_factory.mktemp("registry")) as found:
        yield found


@pytest.fixture(scope="session")
def root(tmp_path_factory) -> Path:
    """The root image of the debian base as a tarball, from the machine's engine, which has it or gets it."""
    here = platforms.of_machine(os.uname().machine)
    recipe = root_recipe.root(CHECKOUT.read_pins().debian, CHECKOUT.read_settings().mirrors, here)
    root_image.ensure(ENGINE, recipe, print)
    tarball = tmp_path_factory.mktemp("root") / "root.tar"
    ENGINE.save(recipe.reference, tarball)
    return tarball


@pytest.fixture
def home(port) -> str:
    """HOST/PATH of a registry, with nothing in it yet."""
    return f"127.0.0.1:{port}/{uuid.uuid4().hex[:8]}"
