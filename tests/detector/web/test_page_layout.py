"""The page at the sizes of a laptop, a large screen and a phone: what is seen, in which order."""

from itertools import pairwise
from typing import Any

import pytest

from detector.web.history.kept_files import KeptFiles
from detector.web.history.routes import History
from detector.web.threshold_costs import ThresholdCost, ThresholdCosts
from maskage.formats.bundle import ModelBundle
from tests.detector.web.chromium import NEEDS_CHROMIUM, Chromium
from tests.detector.web.test_web_page import complaints_of, text_of, watching

pytestmark = NEEDS_CHROMIUM

PARTS = ("#stage", "#faces-section", ".status", "#chart")


def box_of(browser: Chromium, selector: str) -> dict[str, Any]:
    """Left, top, right and bottom of an element in the window, px."""
    found = browser.run(
        f"(() => {{ const r = document.querySelector({selector!r}).getBoundingClientRect();"
        "return {left: r.left, top: r.top, right: r.right, bottom: r.bottom} })()"
    )
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080)])
@pytest.mark.parametrize("dark", [False, True])
def test_picture_faces_figures_and_chart_are_seen_without_scrolling(
    bundle: ModelBundle, browser: Chromium, width: int, height: int, *, dark: bool
) -> None:
    history = History(KeptFiles({}))
    with watching(bundle, browser, history=history) as (_, served):
        browser.show_as(width, height, dark=dark)
        browser.wait_for(f"innerWidth === {width}")
        browser.wait_for("document.querySelector('#picture').naturalWidth === 640")
        boxes = {part: box_of(browser, part) for part in PARTS}
        for part, box in boxes.items():
            assert 0 <= box["top"] < box["bottom"] <= height, part
            assert 0 <= box["left"] < box["right"] <= width, part
        # The picture is most of it, and nothing lies on it.
        assert boxes["#stage"]["right"] - boxes["#stage"]["left"] > 0.5 * width
        assert boxes["#stage"]["bottom"] - boxes["#stage"]["top"] > 0.45 * height
        assert boxes["#stage"]["right"] <= boxes["#faces-section"]["left"]
        assert boxes["#faces-section"]["bottom"] <= boxes["#chart"]["top"]
        # To its last edges: width and height are used.
        assert boxes[".status"]["bottom"] > height - 30
        assert boxes["#faces-section"]["right"] > 0.985 * browser.run("document.body.clientWidth")
        assert complaints_of(browser, served) == []


def test_a_phone_has_picture_and_faces_first_and_figures_folded(
    bundle: ModelBundle, browser: Chromium
) -> None:
    with watching(bundle, browser):
        browser.show_as(390, 844)
        browser.wait_for("innerWidth === 390 && !document.querySelector('.figures details').open")
        order = ["#stage", "#faces-section", "#settings", "#figures-section", "#chart-section"]
        boxes = [box_of(browser, part) for part in order]
        for upper, lower in pairwise(boxes):
            assert upper["bottom"] <= lower["top"]
        first_face = box_of(browser, "#faces .face")
        assert first_face["bottom"] <= box_of(browser, ".toolbar")["top"]
        # The buttons are at hand, whatever is scrolled.
        assert 780 < box_of(browser, "#pause")["bottom"] <= 844
        assert browser.run("document.documentElement.scrollWidth") <= 390
        assert browser.run("document.querySelector('#fps').checkVisibility()") is False
        browser.click(".figures summary")
        browser.wait_for("document.querySelector('#fps').checkVisibility()")
        browser.click(".chart summary")
        browser.wait_for("document.querySelector('#chart').clientWidth > 300")


def test_the_threshold_is_explained_by_what_it_costs(
    bundle: ModelBundle, browser: Chromium
) -> None:
    steps = tuple(ThresholdCost(200 - at, 190 - at) for at in range(101))
    with watching(bundle, browser, costs=ThresholdCosts(200, steps)):
        words = text_of("#threshold-cost")
        browser.wait_for(f"{words}.startsWith('75 % of the 200 test photos')")
        assert "93 % of the answers are right" in browser.run(words)
        browser.run("document.querySelector('#threshold').focus()")
        for _ in range(10):
            browser.press("ArrowRight", 39)
        browser.wait_for(f"{words}.startsWith('70 % of the 200 test photos')")


def test_an_unknown_cost_is_said_to_be_unknown(bundle: ModelBundle, browser: Chromium) -> None:
    with watching(bundle, browser):
        browser.wait_for(f"{text_of('#threshold-cost')}.includes('is not known')")


def test_full_screen_begins_and_ends_by_its_button(bundle: ModelBundle, browser: Chromium) -> None:
    with watching(bundle, browser):
        browser.click("#full-screen")
        browser.wait_for("document.fullscreenElement?.id === 'stage'")
        browser.run("document.exitFullscreen()")
        browser.wait_for("document.fullscreenElement === null")


def test_this_device_s_camera_has_its_place_above_the_faces_and_below_them_on_a_phone(
    bundle: ModelBundle, browser: Chromium
) -> None:
    with watching(bundle, browser):
        browser.show_as(1280, 800)
        browser.wait_for("document.querySelector('#device-start').checkVisibility()")
        device, faces = box_of(browser, "#device"), box_of(browser, "#faces-section")
        assert device["bottom"] <= faces["top"]
        assert device["left"] == faces["left"]
        assert faces["bottom"] <= 800
        browser.show_as(390, 844)
        browser.wait_for("innerWidth === 390 && !document.querySelector('.figures details').open")
        assert box_of(browser, "#faces-section")["bottom"] <= box_of(browser, "#device")["top"]
