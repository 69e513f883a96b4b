"""The page in a real browser, with classes of any name, colour and number."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from detector.screens.base import LiveView
from detector.screens.commands import CorrectLabel
from maskage.classes.ready_made import plain_scheme
from maskage.classes.scheme import Scheme
from tests.detector.conftest import bundle_for
from tests.detector.schemes import MANY, MASK_STATE, ODD
from tests.detector.web.chromium import NEEDS_CHROMIUM, Chromium
from tests.detector.web.test_web_page import ObedientLoop, complaints_of, text_of, watching
from tests.detector.web.web_server import Served, make_face, make_view, wait_until

pytestmark = NEEDS_CHROMIUM

CARD = ".face[data-track='1']"


def two_faces(scheme: Scheme, label: str) -> LiveView:
    unsure = make_face(2, scheme.labels[0], 0.4, is_sure=False, scheme=scheme)
    return make_view(0, (make_face(1, label, scheme=scheme), unsure), scheme=scheme)


@contextmanager
def showing(
    folder: Path, browser: Chromium, scheme: Scheme, label: str
) -> Iterator[tuple[ObedientLoop, Served]]:
    """A page that shows a face that is surely of a class, and one that is not."""
    bundle = bundle_for(folder / "bundle", scheme)
    with watching(bundle, browser, two_faces(scheme, label)) as shown:
        yield shown


def all_of(selector: str, value: str) -> str:
    """JavaScript for a value of each element, in order."""
    return f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => {value})"


@pytest.mark.parametrize("label", ODD.labels)
def test_a_class_of_any_name_is_shown_and_corrected(
    tmp_path: Path, browser: Chromium, label: str
) -> None:
    title, number = ODD.title(label), ODD.index(label)
    with showing(tmp_path, browser, ODD, label) as (loop, served):
        assert browser.run(text_of(f"{CARD} .face-name")) == f"#1 {title}"
        assert browser.run(f"document.querySelectorAll({CARD!r} + ' .bars b b').length") == 0
        assert browser.run(all_of(f"{CARD} .correct button", "e.textContent")) == [
            each.title for each in ODD
        ]
        shown = browser.run(f"getComputedStyle(document.querySelector({CARD!r})).borderLeftColor")
        assert shown == "rgb({}, {}, {})".format(*ODD[label].rgb)
        browser.click(f"{CARD} .correct button:nth-of-type({number + 1})")
        wait_until(lambda: loop.commands == [CorrectLabel(label, 1)])
        browser.wait_for(f"{text_of('#message')} === {json.dumps(f'saved #1 as {title}')}")
        assert complaints_of(browser, served) == []


def test_an_unsure_face_is_called_otherwise_beside_a_class_called_unsure(
    tmp_path: Path, browser: Chromium
) -> None:
    with showing(tmp_path, browser, ODD, "unsure"):
        assert browser.run(text_of(f"{CARD} .face-name")) == "#1 unsure"
        assert browser.run(text_of(".face[data-track='2'] .face-name")) == "#2 not sure"


def test_a_filter_leaves_the_classes_of_that_name_and_enter_takes_the_only_one(
    tmp_path: Path, browser: Chromium
) -> None:
    left = all_of(f"{CARD} .correct button:not([hidden])", "e.textContent")
    with showing(tmp_path, browser, MANY, "class 07") as (loop, _):
        assert len(browser.run(left)) == 64
        browser.click(f"{CARD} .filter")
        browser.call("Input.insertText", text="S 4")
        assert browser.run(left) == [f"class {number}" for number in range(40, 50)]
        browser.press("Enter", 13)
        browser.call("Input.insertText", text="2")
        assert browser.run(left) == ["class 42"]
        browser.press("Enter", 13)
        wait_until(lambda: loop.commands == [CorrectLabel("class 42", 1)])
        # The filter stays as it is while the view goes on.
        assert browser.run(left) == ["class 42"]
        browser.call("Input.insertText", text="x")
        assert browser.run(left) == []
        assert "No class is called so." in browser.run("document.querySelector('main').innerText")


def test_of_many_classes_the_most_probable_have_bars(tmp_path: Path, browser: Chromium) -> None:
    with showing(tmp_path, browser, MANY, "class 07"):
        shown = browser.run(all_of(f"{CARD} .bar:not([hidden]) b", "e.textContent"))
        assert len(shown) == 5
        assert "class 07" in shown
        assert browser.run(text_of(f"{CARD} .bars p")) == "59 other classes: 8 %"


def test_nine_classes_have_all_bars_and_no_filter(tmp_path: Path, browser: Chromium) -> None:
    nine = plain_scheme([f"class {number}" for number in range(9)])
    with showing(tmp_path, browser, nine, "class 3"):
        assert (
            browser.run(f"document.querySelectorAll({CARD!r} + ' .bar:not([hidden])').length") == 9
        )
        assert browser.run("document.querySelectorAll('.filter').length") == 0


def test_three_mask_values_have_three_shapes_and_lines(tmp_path: Path, browser: Chromium) -> None:
    shape = f"document.querySelector({CARD!r} + ' .shape').getAttribute('d')"
    shapes = set()
    with showing(tmp_path, browser, MASK_STATE, "worn") as (loop, served):
        for label in MASK_STATE.labels:
            loop.view = two_faces(MASK_STATE, label)
            words = json.dumps(f"#1 {MASK_STATE.title(label)}")
            browser.wait_for(f"{text_of(f'{CARD} .face-name')} === {words}")
            shapes.add(browser.run(shape))
        assert len(shapes) == 3
        legend = all_of("#chart-legend li", "e.textContent")
        assert browser.run(legend) == ["masked", "misworn", "not masked", "unsure"]
        dashes = browser.run(all_of("#chart .line", "getComputedStyle(e).strokeDasharray"))
        assert len(set(dashes)) == 4
        # Classes that say nothing of an age need no notice.
        assert browser.run("document.querySelector('#age-notice').hidden")
        assert complaints_of(browser, served) == []


def test_the_chart_shows_the_most_frequent_of_many_classes(
    tmp_path: Path, browser: Chromium
) -> None:
    with showing(tmp_path, browser, ODD, "total"):
        browser.wait_for(f"{text_of('#chart-words')}.includes('1.0 total')")
        names = browser.run(all_of("#chart-legend li", "e.textContent"))
        assert "total" in names
        assert names[-2:] == ["8 other classes", "not sure"]
        assert len(names) == 6
        lines = browser.run(
            all_of("#chart .line", "[e.getAttribute('class'), getComputedStyle(e).strokeDasharray]")
        )
        assert len({tuple(line) for line in lines}) == 6


@pytest.mark.parametrize("dark", [False, True])
def test_the_line_of_a_class_stands_out_on_both_themes(
    tmp_path: Path, browser: Chromium, *, dark: bool
) -> None:
    with showing(tmp_path, browser, ODD, "total"):
        browser.show_as(1280, 900, dark=dark)
        browser.wait_for(f"{text_of('#chart-words')}.includes('1.0 total')")
        # Yellow on white and dark blue on black would be lost: the lightness is the theme's.
        lines = all_of("#chart .series", "getComputedStyle(e).stroke")
        found = browser.run(lines)
        assert len(found) == 4
        assert {float(color.split("(")[1].split()[0]) for color in found} == {0.8 if dark else 0.5}


@pytest.mark.parametrize("width", [320, 1280])
def test_long_names_need_no_sideways_scrolling(
    tmp_path: Path, browser: Chromium, width: int
) -> None:
    with showing(tmp_path, browser, ODD, ODD.labels[-1]):
        browser.show_as(width, 900)
        assert browser.run("document.documentElement.scrollWidth") <= width
