"""The engine of a run of pytest: the machine's, or one of its own; and what is not tested on it."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engines import needs, own, suites

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

TOP = Path(__file__).parents[2]
SMALL, IMAGES = TOP / "tests/docker", TOP / "tests/e2e"
# What the engine of a run lacks, for which tests are left out. Workers inherit it.
VARIABLE = "BAKER_TEST_LACKING"


def touched(arguments: Sequence[str], folder: Path, path: Path) -> bool:
    """Whether pytest's arguments, as seen from a folder, name something below a path, or above it."""
    named = [folder / argument.partition("::")[0] for argument in arguments]
    return any(path.is_relative_to(each) or each.is_relative_to(path) for each in named)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Choose the engine before xdist starts its workers, which inherit it."""
    config = session.config
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    os.environ.pop(VARIABLE, None)
    small, images = (touched(config.args, config.invocation_params.dir, suite) for suite in (SMALL, IMAGES))
    lacks = needs.here() if small or images else ""
    if not lacks:
        return
    if not small:
        os.environ[VARIABLE] = f"{lacks}, and it made the images"
        return
    if hindrance := suites.lacking():
        os.environ[VARIABLE] = f"{lacks}, and {hindrance}"
        return
    if images:
        raise pytest.UsageError(f"{lacks}: tests/docker takes one of its own; run it apart from all else")
    config.get_terminal_writer().line(f"{lacks}: bringing up Docker {own.SUITE.docker} for this run")
    stack = ExitStack()
    config.add_cleanup(stack.close)
    try:
        stack.enter_context(own.used())
    except AssertionError as error:
        pytest.exit(f"Docker {own.SUITE.docker} did not come up: {error}", pytest.ExitCode.INTERNAL_ERROR)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get(VARIABLE):
        left_out = [item for item in items if needs.newer(item.nodeid)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    reason = os.environ.get(VARIABLE)
    here = config.invocation_params.dir
    subjects = [
        subject
        for subject, modules in needs.NEWER.items()
        if any(touched(config.args, here, TOP / module.partition("::")[0]) for module in modules)
    ]
    if reason and subjects:
        terminalreporter.write_line(f"not tested: {', '.join(subjects)}: {reason}")


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """A run that has nothing else to test has not failed."""
    yield
    if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and os.environ.get(VARIABLE):
        session.exitstatus = pytest.ExitCode.OK
