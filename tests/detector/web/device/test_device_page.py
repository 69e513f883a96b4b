"""This device's camera in a real browser, whose fake camera plays rendered people."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from detector.web.options import WebOptions
from maskage.formats.bundle import ModelBundle
from tests.detector.web.chromium import NEEDS_CHROMIUM, Chromium, open_before_people
from tests.detector.web.web_server import TOKEN, Served, serving

pytestmark = NEEDS_CHROMIUM

WAIT_S = 30.0
FACES = "document.querySelectorAll('#device-faces li').length > 0"
MESSAGE = "document.querySelector('#device-message').textContent"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with open_before_people(
        tmp_path_factory.mktemp("clip"), "--host-resolver-rules=MAP lan.test 127.0.0.1"
    ) as opened:
        yield opened


def visit(browser: Chromium, served: Served, host: str = "127.0.0.1") -> None:
    """Open the page with the token, and press the button."""
    browser.open(f"http://{host}:{served.port}/?token={TOKEN}")
    browser.wait_for("!document.querySelector('#device').hidden", WAIT_S)
    browser.click("#device-start")


def painted() -> str:
    """A JavaScript expression: some of the canvas over the picture is painted."""
    return (
        "(() => { const c = document.querySelector('canvas.boxes');"
        "return c.width > 300 && c.getContext('2d').getImageData(0, 0, c.width, c.height)"
        ".data.some((value) => value) })()"
    )


def test_a_label_appears_over_the_live_picture_and_the_camera_stops(
    browser: Chromium, bundle: ModelBundle, tmp_path: Path
) -> None:
    with serving(bundle, has_camera=False) as served:
        for width, height in ((1280, 800), (390, 844)):
            browser.show_as(width, height)
            visit(browser, served)
            browser.wait_for(FACES, WAIT_S)
            browser.wait_for(painted(), WAIT_S)
            assert "pictures labelled a second" in browser.run(
                "document.querySelector('#device-count').textContent"
            )
            # As in a mirror, until it is asked otherwise; nothing is wider than the window.
            video = "document.querySelector('#device video')"
            assert browser.run(f"getComputedStyle({video}).transform").startswith("matrix(-1")
            assert browser.run("document.documentElement.scrollWidth") <= width
        browser.click("#device-mirror")
        assert browser.run(f"getComputedStyle({video}).transform") == "none"
        browser.click("#device-stop")
        assert browser.run(f"{video}.srcObject === null && !!{video}.closest('[hidden]')")
        assert browser.run("document.activeElement.id") == "device-start"
    assert not [each for each in browser.complaints if "WebSocket" not in each]


def test_a_camera_that_is_taken_away_is_told_and_comes_back_by_the_button(
    browser: Chromium, bundle: ModelBundle
) -> None:
    with serving(bundle) as served:
        visit(browser, served)
        browser.wait_for(FACES, WAIT_S)
        track = "document.querySelector('#device video').srcObject.getVideoTracks()[0]"
        browser.run(f"{track}.dispatchEvent(new Event('mute'))")
        assert "sends no picture" in browser.run(MESSAGE)
        browser.run(f"{track}.dispatchEvent(new Event('ended'))")
        assert "taken away" in browser.run(MESSAGE)
        browser.click("#device-start")
        browser.wait_for("!document.querySelector('#device-stop').closest('[hidden]')", WAIT_S)
        browser.wait_for(FACES, WAIT_S)


def test_a_program_that_is_started_anew_is_found_again(
    browser: Chromium, bundle: ModelBundle
) -> None:
    with serving(bundle, has_camera=False) as served:
        visit(browser, served)
        browser.wait_for(FACES, WAIT_S)
    browser.wait_for(f"{MESSAGE}.includes('No connection to the program')", WAIT_S)
    assert browser.run("document.querySelector('#device video').srcObject.active")
    browser.run("document.querySelector('#device-faces').replaceChildren()")
    with serving(bundle, WebOptions(port=served.port, token=TOKEN), has_camera=False):
        browser.wait_for(f"{MESSAGE} === 'nobody looked'", 60)
        browser.wait_for(painted(), WAIT_S)
    with serving(bundle, WebOptions(port=served.port, token=f"another {TOKEN}"), has_camera=False):
        browser.wait_for(f"{MESSAGE}.includes('does not know this browser any more')", 60)


def test_a_page_that_is_not_secure_says_what_the_camera_needs(
    browser: Chromium, bundle: ModelBundle
) -> None:
    options = WebOptions(port=0, token=TOKEN, names=("lan.test",))
    with serving(bundle, options, has_camera=False) as served:
        visit(browser, served, "lan.test")
        browser.wait_for(f"{MESSAGE}.includes('only over https')", WAIT_S)
        assert browser.run(f"{MESSAGE}.includes('with --lan')")


def test_without_a_camera_or_its_permission_the_page_says_what_to_do(
    bundle: ModelBundle, tmp_path: Path
) -> None:
    with serving(bundle, has_camera=False) as served:
        with Chromium("--use-fake-device-for-media-stream", "--deny-permission-prompts") as denied:
            visit(denied, served)
            denied.wait_for(f"{MESSAGE}.includes('may not use the camera')", WAIT_S)
        with Chromium("--use-fake-ui-for-media-stream") as bare:
            visit(bare, served)
            bare.wait_for(f"{MESSAGE}.includes('has no camera')", WAIT_S)
