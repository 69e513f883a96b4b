"""Collecting in a real browser, whose fake camera plays rendered people."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from detector.web.options import WebOptions
from maskage.dataset.store import PhotoStore
from maskage.formats.bundle import ModelBundle
from tests.detector.web.chromium import NEEDS_CHROMIUM, Chromium, open_before_people
from tests.detector.web.web_server import TOKEN, serving

pytestmark = NEEDS_CHROMIUM

WAIT_S = 30.0


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with open_before_people(tmp_path_factory.mktemp("clip")) as opened:
        yield opened


def hold(browser: Chromium, selector: str, until: str) -> None:
    """Keep the mouse pressed on an element until an expression is true."""
    query = f"document.querySelector({json.dumps(selector)})"
    x, y = browser.run(
        f"(() => {{ const e = {query}; e.scrollIntoView({{block: 'center'}});"
        "const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()"
    )
    place = {"x": x, "y": y, "button": "left", "clickCount": 1}
    browser.call("Input.dispatchMouseEvent", type="mousePressed", **place)
    browser.wait_for(until, WAIT_S)
    browser.call("Input.dispatchMouseEvent", type="mouseReleased", **place)


def thumbs(test: str) -> str:
    """A JavaScript expression on the number of thumbnails."""
    return f"document.querySelectorAll('#thumbs li').length {test}"


def test_a_button_held_down_photographs_and_undo_takes_the_burst_back(
    browser: Chromium, bundle: ModelBundle, tmp_path: Path, no_face_model: None
) -> None:
    root = tmp_path / "data"
    options = WebOptions(port=0, token=TOKEN, collect=root)
    with serving(bundle, options, has_camera=False) as served:
        browser.show_as(390, 844)
        browser.open(f"http://127.0.0.1:{served.port}/?token={TOKEN}")
        browser.wait_for("!!document.querySelector('a[href=\"/collect\"]')", WAIT_S)
        # On a phone the link has two lines, and its middle is beside both.
        browser.run("document.querySelector('a[href=\"/collect\"]').click()")
        browser.wait_for("document.querySelector('#who-form button').disabled === false", WAIT_S)
        # Whoever says nothing of a consent is told so, and nothing is photographed.
        browser.run("document.querySelector('#subject').value = 'p07'")
        browser.click("#who-form button")
        message = "document.querySelector('#who-message').textContent"
        browser.wait_for(f"{message}.includes('no consent of p07 on record')", WAIT_S)
        browser.click("#is-self")
        browser.run("document.querySelector('#gate').value = 'off'")
        browser.click("#who-form button")
        browser.wait_for("document.querySelectorAll('#classes button').length === 4", WAIT_S)
        hold(browser, "[data-label='mask_young']", thumbs(">= 3"))
        browser.wait_for("!!document.querySelector('[aria-pressed=\"false\"].shot')", WAIT_S)
        browser.press("3", 51)
        browser.wait_for("!!document.querySelector('#thumbs li').innerText.includes('nomask_old')")
        browser.click("#undo")
        gone = "![...document.querySelectorAll('#thumbs li')].some(e => e.innerText.includes('no'))"
        browser.wait_for(gone, WAIT_S)
        browser.click("#undo")
        browser.wait_for(thumbs("=== 0"), WAIT_S)
        browser.click("#redo")
        browser.wait_for(thumbs(">= 3"), WAIT_S)
        browser.click("#thumbs li button")
        assert browser.run("document.documentElement.scrollWidth") <= 390
        count = "Number(document.querySelector('[data-label=mask_young] output').textContent)"
        browser.wait_for(f"{count} === document.querySelectorAll('#thumbs li').length", WAIT_S)
        browser.click("#stop")
        assert browser.run("!document.querySelector('#who').hidden")
    with PhotoStore(root) as store:
        photos = store.photos()
        assert {photo.label for photo in photos} == {"mask_young"}
        assert {photo.subject for photo in photos} == {"p07"}
        assert len(photos) >= 2
        assert all(path.stat().st_size > 1000 for path in (root / "mask_young").glob("*.jpg"))
