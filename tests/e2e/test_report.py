"""The page of `baker report` in a browser: from a disk, at both widths, light, dark and printed."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from baker.report import contents, page
from tests.e2e.browser import chromium, opened
from tests.unit.report.records import BEFORE, BINARY, BUILD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Playwright

WIDTHS = pytest.mark.parametrize("width", [400, 1400])
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])
ROW = "#timeline li:not(.axis)"


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with chromium(playwright, microphone=None) as started:
        yield started


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page.draw(contents.contents((BUILD, BEFORE))))
    return path.as_uri()


def boxes(tab: Page, selector: str) -> list[dict[str, Any]]:
    """Return where elements are, in pixels."""
    found = [item.bounding_box() for item in tab.locator(selector).all()]
    return [dict(box) for box in found if box is not None]


@SCHEMES
@WIDTHS
def test_nothing_is_cut_off_and_everybody_can_read_it(browser, url, width, scheme):
    """axe looks at contrast and names, among others. A wide table may scroll, the page may not."""
    with opened(browser, url, viewport={"width": width, "height": 900}, color_scheme=scheme) as tab:
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert tab.locator(ROW).count() == 12
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes(tab, f"{ROW} i"))
        found = Axe().run(tab)
        assert found.violations_count == 0, found.generate_report()


@WIDTHS
def test_bars_are_where_they_belong_and_overlap_as_the_stages_did(browser, url, width):
    with opened(browser, url, viewport={"width": width, "height": 900}) as tab:
        (track,) = boxes(tab, f"{ROW}:has-text('{BINARY}') .track")
        (compiled,) = boxes(tab, f"{ROW}:has-text('{BINARY}') i")
        (venv,) = boxes(tab, f"{ROW}:has-text('venv') i")
        whole = track["width"] / BUILD.seconds
        assert compiled["x"] - track["x"] == pytest.approx(81 * whole, abs=1)
        assert compiled["width"] == pytest.approx(619 * whole, abs=1)
        # The venv was made while the binary was compiled.
        assert venv["x"] < compiled["x"] < venv["x"] + venv["width"] < compiled["x"] + compiled["width"]


@WIDTHS
def test_marks_of_the_axis_do_not_run_into_each_other(browser, url, width):
    with opened(browser, url, viewport={"width": width, "height": 900}) as tab:
        marks = [box for box in boxes(tab, ".axis .track span") if box["width"]]
        assert len(marks) > 3
        assert all(one["x"] + one["width"] < other["x"] for one, other in itertools.pairwise(marks))


def test_it_can_be_printed(browser, url):
    """On white paper, from a dark screen: the colours of the bars stay."""
    with opened(browser, url, color_scheme="dark") as tab:
        screen = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        tab.emulate_media(media="print")
        assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)" != screen
        bar = "getComputedStyle(document.querySelector('#timeline .critical i'))"
        assert tab.evaluate(f"{bar}.backgroundColor") == "rgb(194, 65, 12)"
        assert tab.evaluate(f"{bar}.printColorAdjust") == "exact"
        assert tab.pdf().startswith(b"%PDF")


def test_what_made_a_layer_can_be_unfolded(browser, url):
    with opened(browser, url) as tab:
        made = tab.get_by_text("COPY --link --from=libraries")
        assert not made.is_visible()
        tab.get_by_text("What made each layer").click()
        assert made.is_visible()
