"""For all suites: which engine, how tests are shared out; BAKER_NO_SKIP=1 forbids skips, and nothing is left behind."""

from __future__ import annotations

import os
import shutil
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests import groups, leftovers, run
from tests.engines import session as engines

if TYPE_CHECKING:
    from collections.abc import Generator

NO_SKIP = os.environ.get("BAKER_NO_SKIP", "") not in ("", "0")
LEFT = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write tests/unit/dockerfile/golden anew")


def pytest_configure(config: pytest.Config) -> None:
    leftovers.heed_signals()
    run.share_cache()
    if not hasattr(config, "workerinput"):
        # Also where the session does not begin, as when Ctrl-C comes while an engine is brought up.
        config.add_cleanup(partial(shutil.rmtree, run.CACHE, ignore_errors=True))
    config.pluginmanager.register(engines)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: groups.turn(item.nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> groups.Scheduling:
    config.option.loadscopereorder = False
    return groups.Scheduling(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """Remove what is left, when the workers are gone: also after Ctrl-C, and when a fixture fails."""
    try:
        return (yield)
    finally:
        if not hasattr(session.config, "workerinput"):
            session.config.stash[LEFT] = leftovers.sweep()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash.get(LEFT, []):
        terminalreporter.write_line(f"removed what was left: {line}")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    # An expected failure is reported as skipped too, and is none.
    if not hasattr(report, "wasxfail"):
        _forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _forbid_skip(report)
    return report


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if NO_SKIP and report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason}\nBAKER_NO_SKIP is set: what would be skipped fails"
