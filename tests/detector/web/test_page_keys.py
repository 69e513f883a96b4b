"""The page's keys are those of the window; a restart needs no reload; several cameras."""

import socket
from dataclasses import replace
from typing import Any

import pytest

from detector.screens.commands import (
    CorrectLabel,
    NextPicture,
    SelectNextFace,
    SetThreshold,
    TakeSnapshot,
    TogglePause,
    UseCamera,
)
from detector.web import app
from detector.web.options import WebOptions
from detector.web.views import events
from detector.web.views.hub import NumberedView
from maskage.formats.bundle import ModelBundle
from tests.detector.conftest import bundle_for
from tests.detector.schemes import MANY
from tests.detector.web.chromium import NEEDS_CHROMIUM, Chromium
from tests.detector.web.test_web_page import ObedientLoop, text_of, watching
from tests.detector.web.web_server import TOKEN, make_face, make_view, serving, wait_until

pytestmark = NEEDS_CHROMIUM


def test_keys_do_what_they_do_in_the_window(bundle: ModelBundle, browser: Chromium) -> None:
    with watching(bundle, browser) as (loop, _):
        for key, command in (
            ("p", TogglePause()),
            ("s", TakeSnapshot()),
            ("f", SelectNextFace()),
            ("n", NextPicture()),
            ("3", CorrectLabel("nomask_old")),
            ("+", SetThreshold(0.55)),
        ):
            browser.press(key)
            wait_until(lambda command=command: command in loop.commands, 30)  # type: ignore[misc]
        browser.press("q")
        browser.wait_for(f"{text_of('#message')}.includes('Only the program')")
        browser.press("?")
        browser.wait_for("document.querySelector('#keys-dialog').open")
        assert "the face is really no mask, old: save it" in browser.run(text_of("#keys"))
        # Keys that are pressed on the dialog are not meant for the picture.
        count = len(loop.commands)
        browser.press("m")
        browser.press("Escape", 27)
        browser.wait_for("!document.querySelector('#keys-dialog').open")
        assert len(loop.commands) == count


def test_letters_that_are_typed_are_no_keys(bundle: ModelBundle, browser: Chromium) -> None:
    with watching(bundle, browser) as (loop, _):
        browser.run("document.querySelector('#camera').focus()")
        browser.press("p")
        browser.run("document.querySelector('#pause').focus()")
        browser.press("s")
        wait_until(lambda: TakeSnapshot() in loop.commands, 30)
        assert TogglePause() not in loop.commands


def test_of_many_classes_one_is_chosen_with_brackets(tmp_path: Any, browser: Chromium) -> None:
    faces = (
        make_face(1, scheme=MANY, label=MANY.labels[0]),
        make_face(2, scheme=MANY, label=MANY.labels[1]),
    )
    with watching(
        bundle_for(tmp_path / "bundle", MANY), browser, make_view(0, faces, scheme=MANY)
    ) as (loop, _):
        for _ in range(2):
            browser.press("]")
        browser.wait_for(f"{text_of('#message')}.includes('(2 of 64)')")
        browser.press("Enter", 13)
        wait_until(lambda: loop.commands == [CorrectLabel(MANY.labels[1])], 30)


def test_next_is_offered_for_the_pictures_of_a_folder_alone(
    bundle: ModelBundle, browser: Chromium
) -> None:
    with watching(bundle, browser) as (loop, _):
        assert browser.run("document.querySelector('#next').hidden") is True
        result = loop.view.result
        frame = replace(result.frame, file="a.jpg")
        loop.view = replace(loop.view, result=replace(result, frame=frame))
        browser.wait_for("!document.querySelector('#next').hidden")
        browser.click("#next")
        wait_until(lambda: loop.commands == [NextPicture()], 30)


def test_the_page_goes_on_by_itself_once_the_program_is_back(
    bundle: ModelBundle, browser: Chromium
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = WebOptions(port=port, token=TOKEN)
    browser.show_as(1280, 800)
    with serving(bundle, options) as served, ObedientLoop(served):
        browser.open(served.screen.url)
        browser.wait_for("document.querySelector('#picture').naturalWidth === 640")
        browser.run("window.stays = true")
    browser.wait_for("document.querySelector('#link').dataset.state === 'lost'")
    assert browser.run(text_of("#stage-note")).startswith("No word from the program since ")
    assert browser.run("document.querySelector('#held').hidden") is False
    assert browser.run("getComputedStyle(document.querySelector('#held')).opacity") == "0.45"
    with serving(bundle, options) as served, ObedientLoop(served):
        # A cookie of before lets nobody in where the secret of cookies is drawn anew.
        browser.run(
            f"fetch('/?token=' + encodeURIComponent({TOKEN!r}), {{redirect: 'manual'}}), true"
        )
        browser.wait_for("document.querySelector('#link').dataset.state === 'live'")
        browser.wait_for("document.querySelector('#picture').naturalWidth === 640")
        assert browser.run("window.stays") is True
        assert browser.run("document.querySelector('#held').hidden") is True
        assert browser.run("document.querySelector('#alarm').hidden") is True
        browser.open("about:blank")


SOURCES = [
    {"id": 0, "name": "door", "state": "live", "fps": 12.34, "age_ms": 80.0, "faces": 2},
    {"id": 1, "name": "yard", "state": "lost", "fps": None, "age_ms": None, "faces": 0},
    {"id": 2, "name": "<b>hall</b>", "state": "waiting", "fps": None, "age_ms": None, "faces": 0},
]


@pytest.fixture
def cameras(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The state of several cameras, which every view then has."""
    state: dict[str, Any] = {"sources": SOURCES, "shown": "all"}
    describe = events.describe_view

    def with_cameras(numbered: NumberedView) -> dict[str, Any]:
        return {**describe(numbered), **state}

    monkeypatch.setattr(events, "describe_view", with_cameras)
    # Every camera has the one picture; test_web_cameras.py shows that each has its own.
    monkeypatch.setattr(app, "find_shown", lambda hub, source: "shown")
    return state


def test_several_cameras_have_a_tile_each_and_one_is_chosen_by_its_tile(
    bundle: ModelBundle, browser: Chromium, cameras: dict[str, Any]
) -> None:
    with watching(bundle, browser) as (loop, _):
        browser.show_as(1280, 800)
        tiles = "[...document.querySelectorAll('.tile')]"
        browser.wait_for(f"{tiles}.length === 3 && !document.querySelector('#tiles').hidden")
        browser.wait_for(f"{tiles}.every((tile) => tile.querySelector('img').naturalWidth === 640)")
        assert browser.run(f"{tiles}.map((tile) => tile.innerText.split('\\n').pop())") == [
            "12.3/s · 80 ms · 2 faces",
            "lost, trying again",
            "waiting for its first picture",
        ]
        assert browser.run(f"{tiles}[2].querySelector('b').textContent") == "<b>hall</b>"
        within = (
            "(() => { const s = document.querySelector('#stage').getBoundingClientRect();"
            f"return {tiles}.every((tile) => {{ const r = tile.getBoundingClientRect();"
            "return r.left >= s.left && r.right <= s.right && r.top >= s.top"
            " && r.bottom <= s.bottom && r.height > 100; }) })()"
        )
        assert browser.run(within) is True
        browser.click(".tile[data-source='1']")
        wait_until(lambda: loop.commands == [UseCamera(1)], 30)
        cameras["shown"] = 1
        browser.wait_for("document.querySelector('#tiles').hidden")
        browser.wait_for("document.querySelector('#picture').naturalWidth === 640")
        pressed = "document.querySelector('.camera[aria-pressed=\"true\"]').innerText"
        assert browser.run(pressed).startswith("yard")
        browser.run(
            "window.sent = []; const was = window.fetch; window.fetch = (url, request) => {"
            "window.sent.push(request?.body); return was(url, request) }; true"
        )
        browser.click(".camera[data-source='all']")
        browser.wait_for('window.sent.includes(\'{"command":"show_all"}\')')
        cameras["shown"] = "all"
        browser.wait_for("!document.querySelector('#tiles').hidden")


def test_more_cameras_than_a_browser_has_connections_share_one_picture(
    bundle: ModelBundle, browser: Chromium, cameras: dict[str, Any]
) -> None:
    cameras["sources"] = [{**SOURCES[0], "id": at, "name": f"camera {at}"} for at in range(6)]
    with watching(bundle, browser):
        browser.wait_for("document.querySelectorAll('.camera').length === 7")
        browser.wait_for("document.querySelector('#picture').naturalWidth === 640")
        assert browser.run("document.querySelector('#tiles').hidden") is True
