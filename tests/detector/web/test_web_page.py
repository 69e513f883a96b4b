"""The page in a real browser: what it shows, what its controls do, by pointer and by key."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from detector.drawing.overlay import Readout
from detector.screens.base import Controls, LiveView
from detector.screens.commands import (
    Command,
    CorrectLabel,
    SetThreshold,
    TakeSnapshot,
    ToggleMirror,
    TogglePause,
    ToggleRecording,
    UseCamera,
)
from detector.web.history.routes import History
from detector.web.options import WebOptions
from detector.web.threshold_costs import ThresholdCosts
from maskage.classes.ready_made import MASK_AGE
from maskage.formats.bundle import ModelBundle
from maskage.pictures.images import encode_jpeg
from maskage.records import RgbImage
from tests.detector.web.chromium import NEEDS_CHROMIUM, Chromium
from tests.detector.web.web_server import (
    TOKEN,
    Served,
    as_stale,
    make_face,
    make_view,
    serving,
    wait_until,
)

pytestmark = NEEDS_CHROMIUM


class ObedientLoop:
    """Shows a view ten times a second, and does what the desk is asked for."""

    def __init__(self, served: Served, view: LiveView | None = None) -> None:
        self.commands: list[Command] = []
        self.view = view or make_view(
            0, (make_face(1, "mask_old", 0.91), make_face(2, confidence=0.4, is_sure=False))
        )
        self.is_silent = False
        self._served = served
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(0.1):
            for command in self._served.desk.take():
                self.commands.append(command)
                self.view = obey(self.view, command)
            if not self.is_silent:
                number += 1
                frame = replace(self.view.result.frame, index=number)
                result = replace(self.view.result, frame=frame)
                self._served.screen.show(replace(self.view, result=result))

    def __enter__(self) -> "ObedientLoop":
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def __exit__(self, *_: object) -> None:
        self.stop()


def obey(view: LiveView, command: Command) -> LiveView:
    """The next view, after a command."""
    controls = view.controls
    match command:
        case TogglePause():
            is_paused = not view.readout.is_paused
            return replace(view, readout=replace(view.readout, is_paused=is_paused))
        case ToggleMirror():
            return replace(view, is_mirrored=not view.is_mirrored)
        case ToggleRecording():
            recording = None if controls.recording else Path("recording-1.mp4")
            return replace(view, controls=replace(controls, recording=recording))
        case SetThreshold(value):
            return replace(view, controls=replace(controls, threshold=value))
        case UseCamera(index):
            return replace(view, controls=replace(controls, source=index))
        case TakeSnapshot():
            return replace(view, readout=replace(view.readout, message="saved snapshots/1.jpg"))
        case CorrectLabel(label, track):
            message = f"saved #{track} as {view.result.scheme.title(label)}"
            return replace(view, readout=replace(view.readout, message=message))
    return view


@contextmanager
def watching(
    bundle: ModelBundle,
    browser: Chromium,
    view: LiveView | None = None,
    *,
    history: History | None = None,
    costs: ThresholdCosts | None = None,
) -> Iterator[tuple[ObedientLoop, Served]]:
    """A page that shows a live view with two faces."""
    browser.complaints.clear()
    browser.show_as(1280, 900)
    with (
        serving(bundle, history=history, costs=costs) as served,
        ObedientLoop(served, view) as loop,
    ):
        browser.open(served.screen.url)
        browser.wait_for("document.querySelectorAll('#faces .face').length === 2")
        yield loop, served
        browser.open("about:blank")


def text_of(selector: str) -> str:
    return f"document.querySelector({selector!r}).textContent"


def complaints_of(browser: Chromium, served: Served) -> list[str]:
    """Those about this server; what is left of a page before may still come in."""
    return [words for words in browser.complaints if f":{served.port}/" in words]


def test_the_token_leaves_the_address_and_the_picture_and_faces_are_shown(
    bundle: ModelBundle, browser: Chromium
) -> None:
    with watching(bundle, browser) as (loop, served):
        assert browser.run("location.href") == f"http://127.0.0.1:{served.port}/"
        assert "token" not in browser.run("document.cookie")
        browser.wait_for("document.querySelector('#picture').naturalWidth === 640")
        assert "#1 mask, old" in browser.run(text_of(".face[data-track='1']"))
        assert "91 %" in browser.run(text_of(".face[data-track='1'] .sum"))
        assert "#2 unsure" in browser.run(text_of(".face[data-track='2']"))
        assert "perhaps mask, old" in browser.run(text_of(".face[data-track='2'] .tag"))
        bars = "[...document.querySelectorAll('.face[data-track=\"1\"] .bar u')]"
        assert browser.run(f"{bars}.map((bar) => bar.style.width)") == ["91%", "3%", "3%", "3%"]
        browser.wait_for(f"{text_of('#fps')} === '30'")
        assert browser.run(text_of("#age")) == "12 ms"
        assert browser.run(text_of("#dropped")) == "7"
        assert browser.run(text_of("#reconnects")) == "2"
        assert "appearance" in browser.run(text_of("#age-notice"))
        assert loop.commands == []
        # No word of the browser against the page: no script, style or file was forbidden.
        assert complaints_of(browser, served) == []


def test_the_colours_are_those_of_the_picture(bundle: ModelBundle, browser: Chromium) -> None:
    with watching(bundle, browser):
        bars = "[...document.querySelectorAll('.face[data-track=\"1\"] .bar u')]"
        shown = browser.run(f"{bars}.map((bar) => getComputedStyle(bar).backgroundColor)")
        assert shown == [
            "rgb({}, {}, {})".format(*MASK_AGE[label].rgb) for label in MASK_AGE.labels
        ]


def test_buttons_send_commands_and_show_how_it_stands(
    bundle: ModelBundle, browser: Chromium
) -> None:
    with watching(bundle, browser) as (loop, _):
        for name, command in (
            ("pause", TogglePause()),
            ("mirror", ToggleMirror()),
            ("record", ToggleRecording()),
        ):
            browser.click(f"#{name}")
            browser.wait_for(f"document.querySelector('#{name}').ariaPressed === 'true'")
            assert loop.commands[-1] == command
        assert browser.run(text_of("#recording")) == "recording-1.mp4"
        assert browser.run(text_of("#link")) == "paused"
        browser.click("#snapshot")
        browser.wait_for(f"{text_of('#message')} === 'saved snapshots/1.jpg'")
        assert loop.commands[-1] == TakeSnapshot()
        # A screen reader is told once.
        assert browser.run(text_of("#announcer")) == "saved snapshots/1.jpg"


@pytest.mark.parametrize("label", MASK_AGE.labels)
def test_a_face_is_corrected_with_one_click(
    bundle: ModelBundle, browser: Chromium, label: str
) -> None:
    with watching(bundle, browser) as (loop, _):
        browser.click(f".face[data-track='2'] [data-label='{label}']")
        wait_until(lambda: loop.commands == [CorrectLabel(label, 2)])
        browser.wait_for(f"{text_of('#message')} === 'saved #2 as {MASK_AGE.title(label)}'")


def test_everything_is_done_with_the_keyboard_alone(bundle: ModelBundle, browser: Chromium) -> None:
    with watching(bundle, browser) as (loop, _):
        reached = []
        for _ in range(20):
            browser.press("Tab", 9)
            reached.append(
                browser.run(
                    "(() => { const e = document.activeElement;"
                    "return e.id || e.dataset.label || e.className })()"
                )
            )
            if reached[-1] == "pause":
                browser.press("Enter", 13)
                browser.wait_for("document.querySelector('#pause').ariaPressed === 'true'")
                # The focus stays where it was.
                assert browser.run("document.activeElement.id") == "pause"
        assert loop.commands == [TogglePause()]
        expected = ["theme", "pause", "mirror", "snapshot", "record", "threshold", "camera"]
        assert [name for name in reached if name in expected][: len(expected)] == expected
        assert [name for name in reached if name in list(MASK_AGE.labels)] == [
            *MASK_AGE.labels,
            *MASK_AGE.labels,
        ]
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert browser.run(outline) == "solid"


def test_every_control_has_a_name(bundle: ModelBundle, browser: Chromium) -> None:
    with watching(bundle, browser):
        tree = browser.call("Accessibility.getFullAXTree")["nodes"]
        controls = {"button", "slider", "combobox", "link", "image", "img"}
        nameless = [
            node["role"]["value"]
            for node in tree
            if node.get("role", {}).get("value") in controls
            and not node.get("ignored")
            and not node.get("name", {}).get("value")
        ]
        assert nameless == []
        names = {node.get("name", {}).get("value") for node in tree}
        assert "Face 2 is really no mask, young: save it" in names


def test_the_slider_sets_the_threshold_and_is_not_pulled_back(
    bundle: ModelBundle, browser: Chromium
) -> None:
    with watching(bundle, browser) as (loop, _):
        assert browser.run("document.querySelector('#threshold').value") == "50"
        browser.run("document.querySelector('#threshold').focus()")
        for _ in range(10):
            browser.press("ArrowRight", 39)
        browser.wait_for(f"{text_of('#threshold-value')} === '60 %'")
        wait_until(lambda: SetThreshold(0.6) in loop.commands)
        assert len(loop.commands) <= 10
        # Later it follows what others set.
        time.sleep(1.6)
        loop.view = replace(loop.view, controls=replace(loop.view.controls, threshold=0.8))
        browser.wait_for("document.querySelector('#threshold').value === '80'")


def test_another_camera_is_chosen(bundle: ModelBundle, browser: Chromium) -> None:
    with watching(bundle, browser) as (loop, _):
        browser.wait_for("document.querySelector('#camera').options.length === 2")
        browser.run("document.querySelector('#camera').focus()")
        browser.press("ArrowDown", 40)
        wait_until(lambda: loop.commands == [UseCamera(1)])


def test_a_silent_camera_is_called_stale(bundle: ModelBundle, browser: Chromium) -> None:
    with watching(bundle, browser) as (loop, _):
        loop.view = as_stale(loop.view, 4.2)
        browser.wait_for("!document.querySelector('#alarm').hidden")
        assert "STALE: no picture from the camera for 4 s" in browser.run(text_of("#alarm"))
        assert browser.run(text_of("#link")) == "camera silent"
        assert browser.run(text_of("#age")) == "\N{EN DASH}"
        loop.view = make_view(50)
        browser.wait_for("document.querySelector('#alarm').hidden")
        assert browser.run(text_of("#announcer")) == "The picture is back."


def test_a_live_loop_that_hangs_is_called_stale(bundle: ModelBundle, browser: Chromium) -> None:
    with watching(bundle, browser) as (loop, _):
        loop.is_silent = True
        browser.wait_for("document.querySelector('#link').dataset.state === 'stale'")
        assert "STALE" in browser.run(text_of("#alarm"))
        loop.is_silent = False
        browser.wait_for("document.querySelector('#link').dataset.state === 'live'")


def test_a_lost_program_is_called_stale_and_its_last_picture_stays(
    bundle: ModelBundle, browser: Chromium
) -> None:
    with watching(bundle, browser) as (_, served):
        browser.wait_for("document.querySelector('#picture').naturalWidth === 640")
        assert browser.run("document.querySelector('[inert]') === null")
        served.screen.close()
        browser.wait_for("document.querySelector('#link').dataset.state === 'lost'")
        assert "no connection to the program" in browser.run(text_of("#alarm"))
        assert browser.run("document.querySelector('#pause').closest('[inert]') !== null")
        assert browser.run("document.querySelector('#held').hidden") is False
        assert browser.run("document.querySelector('#held').width") == 640


def test_a_recording_that_ends_is_distinguished_from_a_lost_program(
    bundle: ModelBundle, browser: Chromium
) -> None:
    with watching(bundle, browser) as (loop, served):
        browser.wait_for("document.querySelector('#picture').naturalWidth === 640")
        loop.stop()
        # As a live view that ends: the last view is put, and the server is closed at once.
        served.screen.show(replace(loop.view, is_over=True))
        served.screen.close()
        browser.wait_for("document.querySelector('#link').dataset.state === 'over'")
        assert "The recording has ended" in browser.run(text_of("#alarm"))
        assert browser.run(text_of("#stage-note")) == "Ended"
        assert browser.run("document.querySelector('#held').hidden") is False


def test_a_face_that_left_is_marked_then_dropped(bundle: ModelBundle, browser: Chromium) -> None:
    with watching(bundle, browser) as (loop, _):
        loop.view = make_view(1, (make_face(1),))
        browser.wait_for("!!document.querySelector('.face[data-track=\"2\"].is-gone')")
        browser.wait_for("!document.querySelector('.face[data-track=\"2\"]')")
        assert browser.run(text_of("#face-count")) == "1"


def test_where_faces_cannot_be_saved_the_page_says_why(
    bundle: ModelBundle, browser: Chromium
) -> None:
    with watching(bundle, browser) as (loop, _):
        controls = Controls(correcting="The dataset is in use by another program.")
        loop.view = replace(loop.view, controls=controls)
        browser.wait_for("!document.querySelector('#correcting').hidden")
        assert "in use" in browser.run(text_of("#correcting"))
        assert browser.run("document.querySelectorAll('.correct button:disabled').length") == 8


def test_names_from_outside_are_text_and_never_markup(
    bundle: ModelBundle, browser: Chromium
) -> None:
    with watching(bundle, browser) as (loop, _):
        bad = "<img src=x onerror=document.title='broken-in'>"
        controls = Controls(sources=(bad, "b"), recording=Path(bad.replace("/", "")))
        readout = Readout(notice=bad, message=bad)
        loop.view = replace(loop.view, controls=controls, readout=readout)
        browser.wait_for(f"{text_of('#notice')}.includes('onerror')")
        assert browser.run("document.querySelectorAll('main img[src=x]').length") == 0
        assert browser.run("document.title") == "maskage detector"


def test_the_chart_draws_what_was_counted(bundle: ModelBundle, browser: Chromium) -> None:
    with watching(bundle, browser):
        browser.wait_for("document.querySelector('#chart .masked').getAttribute('d').length > 5")
        words = browser.wait_for(f"{text_of('#chart-words')}.startsWith('On average')") and (
            browser.run(text_of("#chart-words"))
        )
        assert "1.0 masked, 0.0 not masked, 1.0 unsure" in words


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_no_width_needs_sideways_scrolling(
    bundle: ModelBundle, browser: Chromium, width: int
) -> None:
    with watching(bundle, browser):
        browser.show_as(width, 740)
        browser.wait_for(f"innerWidth === {width}")
        assert browser.run("document.documentElement.scrollWidth") <= width
        small = browser.run(
            "[...document.querySelectorAll('button, select, .button')].filter((e) => "
            "e.offsetParent && (e.offsetHeight < 40 || e.offsetWidth < 40)).map((e) => e.id)"
        )
        assert small == []


def test_the_theme_follows_the_system_until_it_is_chosen(
    bundle: ModelBundle, browser: Chromium
) -> None:
    with watching(bundle, browser) as (_, served):
        paper = "getComputedStyle(document.body).backgroundColor"
        light = browser.run(paper)
        browser.show_as(1280, 900, dark=True)
        dark = browser.run(paper)
        assert light != dark
        browser.click("#theme")
        browser.wait_for(f"{text_of('#theme-name')} === 'light'")
        assert browser.run(paper) == light
        # And it is remembered.
        browser.open(f"http://127.0.0.1:{served.port}/")
        browser.wait_for(f"{text_of('#theme-name')} === 'light'")
        assert browser.run(paper) == light
        browser.run("localStorage.clear()")


def test_a_hidden_page_takes_nothing_from_the_program(
    bundle: ModelBundle, browser: Chromium
) -> None:
    with watching(bundle, browser) as (_, served):
        seats = served.screen._parts.watchers, served.screen._parts.listeners
        wait_until(lambda: [seat.taken for seat in seats] == [1, 1])
        hide = "Object.defineProperty(document, 'hidden', {configurable: true, get: () => %s});"
        event = "document.dispatchEvent(new Event('visibilitychange'))"
        browser.run(hide % "true" + event)
        wait_until(lambda: [seat.taken for seat in seats] == [0, 0])
        browser.run(hide % "false" + event)
        wait_until(lambda: [seat.taken for seat in seats] == [1, 1])


def test_a_stranger_sees_how_to_come_in(bundle: ModelBundle, browser: Chromium) -> None:
    with serving(bundle) as served:
        browser.open(f"http://127.0.0.1:{served.port}/")
        browser.wait_for("document.body && document.body.innerText.includes('Locked')")


def test_a_picture_is_classified_without_a_camera(
    bundle: ModelBundle, browser: Chromium, paint: Callable[..., RgbImage], tmp_path: Path
) -> None:
    browser.complaints.clear()
    file = tmp_path / "red.jpg"
    file.write_bytes(encode_jpeg(paint("mask_old")))
    with serving(bundle, has_camera=False) as served:
        browser.open(served.screen.url)
        browser.wait_for("document.body && document.body.classList.contains('no-camera')")
        choose_file(browser, file)
        browser.wait_for("document.querySelectorAll('.try-faces .face').length === 1")
        assert "mask, old" in browser.run(text_of(".try-faces .face-name"))
        assert browser.run("document.querySelectorAll('.try-box').length") == 1
        assert complaints_of(browser, served) == []
        file.write_bytes(b"no picture")
        choose_file(browser, file)
        browser.wait_for(f"{text_of('.try-card.has-failed')}.includes('not a picture')")


def choose_file(browser: Chromium, file: Path) -> None:
    """What the file dialog would do."""
    root = browser.call("DOM.getDocument")["root"]["nodeId"]
    node = browser.call("DOM.querySelector", nodeId=root, selector="#try-file")["nodeId"]
    browser.call("DOM.setFileInputFiles", files=[str(file)], nodeId=node)


def test_visitors_log_in_over_tls_by_the_password_form_and_may_do_everything(
    bundle: ModelBundle, browser: Chromium, certificate: tuple[Path, Path]
) -> None:
    password = "correct horse battery"
    options = WebOptions(
        port=0, certificate=certificate[0], key=certificate[1], password=password, token=TOKEN
    )
    browser.complaints.clear()
    # The certificate is nobody's but ours; a person clicks the warning away.
    browser.call("Security.enable")
    browser.call("Security.setIgnoreCertificateErrors", ignore=True)
    browser.show_as(1280, 900)
    with serving(bundle, options) as served, ObedientLoop(served) as loop:
        browser.open(f"https://127.0.0.1:{served.port}/")
        browser.wait_for("document.querySelector('#password') !== null")
        assert browser.run("location.pathname") == "/login"
        log_in(browser, "wrong horse battery")
        browser.wait_for(f"{text_of('#fault')} === 'The password is wrong. Try again.'")
        log_in(browser, password)
        browser.wait_for("document.querySelectorAll('#faces .face').length === 2")
        assert browser.run("location.href") == f"https://127.0.0.1:{served.port}/"
        browser.click("#snapshot")
        browser.wait_for(f"{text_of('#message')} === 'saved snapshots/1.jpg'")
        browser.click("#record")
        browser.wait_for(f"{text_of('#recording')} === 'recording-1.mp4'")
        browser.click(f".face[data-track='2'] [data-label='{'mask_young'}']")
        wait_until(lambda: loop.commands[-1:] == [CorrectLabel("mask_young", 2)])
        browser.run("document.querySelector('#threshold').focus()")
        browser.press("ArrowRight", 39)
        wait_until(lambda: isinstance(loop.commands[-1], SetThreshold))
        assert [words for words in complaints_of(browser, served) if "401" not in words] == []
        browser.open("about:blank")


def log_in(browser: Chromium, password: str) -> None:
    """Type a password and press Enter, as a person does."""
    browser.run("document.querySelector('#password').focus()")
    browser.call("Input.insertText", text=password)
    browser.press("Enter", 13)
