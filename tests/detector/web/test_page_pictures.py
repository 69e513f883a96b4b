"""Pictures on the page: those that are sent, and those that were kept."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from detector.events.alarm_actions import Alarm
from detector.web.history.alarm_history import AlarmHistory
from detector.web.history.routes import History
from maskage.formats.bundle import ModelBundle
from maskage.pictures.images import encode_jpeg
from maskage.records import RgbImage
from tests.detector.web.chromium import NEEDS_CHROMIUM, Chromium
from tests.detector.web.history.test_history_routes import RECORDING, SNAPSHOT, fill
from tests.detector.web.test_web_page import complaints_of, text_of, watching
from tests.detector.web.web_server import Served, make_view, serving
from tests.maskage.pictures.heic_files import encode_heic, needs_hevc

pytestmark = NEEDS_CHROMIUM

CARDS = "[...document.querySelectorAll('.try-card')]"


@pytest.fixture
def served(bundle: ModelBundle, browser: Chromium) -> Iterator[Served]:
    """A page that only classifies pictures."""
    browser.complaints.clear()
    browser.show_as(1280, 800)
    with serving(bundle, has_camera=False) as opened:
        browser.open(opened.screen.url)
        browser.wait_for("document.body && document.body.classList.contains('no-camera')")
        yield opened
        browser.open("about:blank")


def choose(browser: Chromium, selector: str, files: list[Path]) -> None:
    """What the file dialog would do."""
    root = browser.call("DOM.getDocument")["root"]["nodeId"]
    node = browser.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
    browser.call("DOM.setFileInputFiles", files=[str(file) for file in files], nodeId=node)


def hand_over(browser: Chromium, event: str, name: str, data: bytes) -> None:
    """Drop or paste a file, as the browser reports it."""
    text = base64.b64encode(data).decode()
    kind, field = (
        ("ClipboardEvent", "clipboardData") if event == "paste" else ("DragEvent", "dataTransfer")
    )
    browser.run(
        f"(() => {{ const bytes = Uint8Array.from(atob('{text}'), (c) => c.charCodeAt(0));"
        f"const data = new DataTransfer(); data.items.add(new File([bytes], {json.dumps(name)}));"
        f"document.body.dispatchEvent(new {kind}({event!r}, "
        f"{{{field}: data, bubbles: true, cancelable: true}})); return true }})()"
    )


def test_several_pictures_are_answered_in_order_and_each_failure_stands_beside_its_name(
    served: Served, browser: Chromium, paint: Callable[..., RgbImage], tmp_path: Path
) -> None:
    turned, whole, broken = tmp_path / "phone.jpg", tmp_path / "a.avif", tmp_path / "broken.png"
    image = Image.fromarray(paint("mask_old", 640, 480))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(turned, exif=exif)
    Image.fromarray(paint("nomask_old", 640, 480)).save(whole)
    broken.write_bytes(b"no picture at all")
    choose(browser, "#try-file", [turned, broken, whole])
    browser.wait_for(f"{text_of('#try-result')}.startsWith('3 pictures;')")
    names = browser.run(f"{CARDS}.map((card) => card.querySelector('h3').textContent)")
    assert names == ["phone.jpg", "broken.png", "a.avif"]
    failed = browser.run(f"{CARDS}.map((card) => card.classList.contains('has-failed'))")
    assert failed == [False, True, False]
    assert "not a picture" in browser.run(f"{CARDS}[1].innerText")
    assert "mask, old" in browser.run(f"{CARDS}[0].innerText")
    assert "no mask, old" in browser.run(f"{CARDS}[2].innerText")
    browser.wait_for(f"{CARDS}[0].querySelector('img').naturalWidth > 0")
    size = "[e.naturalWidth, e.naturalHeight]"
    assert browser.run(
        f"(() => {{ const e = {CARDS}[0].querySelector('img'); return {size} }})()"
    ) == [480, 640]
    # The box lies on the picture, in its middle.
    assert browser.run(
        f"(() => {{ const i = {CARDS}[0].querySelector('img').getBoundingClientRect(),"
        f"b = {CARDS}[0].querySelector('.try-box').getBoundingClientRect();"
        "return b.left > i.left && b.right < i.right && b.top > i.top && b.bottom < i.bottom"
        " && Math.abs(b.left + b.right - i.left - i.right) < 8 })()"
    )
    refused = [words for words in complaints_of(browser, served) if "415" not in words]
    assert refused == []
    browser.click("#try-clear")
    browser.wait_for(f"{CARDS}.length === 0")


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_picture_is_dropped_anywhere_or_pasted(
    served: Served, browser: Chromium, paint: Callable[..., RgbImage], event: str
) -> None:
    hand_over(browser, event, "face.jpg", encode_jpeg(paint("mask_old")))
    browser.wait_for("document.querySelectorAll('.try-faces .face').length === 1")
    assert browser.run(f"{CARDS}[0].querySelector('h3').textContent") == "face.jpg"
    assert browser.run("document.querySelector('#drop-note').hidden") is True


@needs_hevc
def test_a_heic_which_the_browser_cannot_show_is_shown_all_the_same(
    served: Served, browser: Chromium, paint: Callable[..., RgbImage], tmp_path: Path
) -> None:
    file = tmp_path / "phone.heic"
    file.write_bytes(encode_heic(Image.fromarray(paint("mask_old", 640, 480)), quarters=1))
    choose(browser, "#try-file", [file])
    browser.wait_for(f"{CARDS}.length === 1 && {CARDS}[0].querySelector('img')?.naturalWidth > 0")
    assert browser.run(f"{CARDS}[0].querySelector('img').naturalHeight") == 640
    assert browser.run("document.querySelectorAll('.try-box').length") == 1


def test_a_phone_is_offered_its_camera(served: Served, browser: Chromium) -> None:
    assert (
        browser.run("document.querySelector('#try-camera').getAttribute('capture')")
        == "environment"
    )
    assert browser.run("document.querySelector('#try-camera').accept") == "image/*"


def test_what_was_kept_is_shown_and_deleted_after_a_second_click(
    bundle: ModelBundle, browser: Chromium, tmp_path: Path
) -> None:
    bad = "<img src=x onerror=document.title='broken-in'>"
    alarm = Alarm("nomask_old", 3, 0.93, 1.5, "2026-11-26T11:45:01.123+00:00", bad)
    with AlarmHistory() as alarms:
        alarms.add(alarm, make_view().result)
        with watching(bundle, browser, history=History(fill(tmp_path), alarms)) as (_, served):
            browser.wait_for("document.querySelectorAll('#alarms .card').length === 1")
            browser.wait_for("document.querySelectorAll('#kept .card').length === 2")
            words = browser.run("document.querySelector('#alarms').textContent")
            assert "#3 no mask, old, 93 %" in words
            assert bad in words
            browser.run("document.querySelector('#kept').scrollIntoView(), true")
            for place in ("#alarms", "#kept"):
                pictures = f"[...document.querySelectorAll('{place} img')]"
                browser.wait_for(f"{pictures}.every((e) => e.naturalWidth > 0)")
            links = "[...document.querySelectorAll('#kept .card-picture')].map((e) => e.pathname)"
            assert browser.run(links) == [
                f"/history/recordings/{RECORDING}",
                f"/history/snapshots/{SNAPSHOT}",
            ]
            button = f"button[aria-label='Delete the snapshot {SNAPSHOT}']"
            browser.click(button)
            browser.wait_for(f"{text_of(button)} === 'Really delete?'")
            assert (tmp_path / "snapshots" / SNAPSHOT).exists()
            browser.click(button)
            browser.wait_for("document.querySelectorAll('#kept .card').length === 1")
            browser.wait_for(f"{text_of('#history-words')} === '{SNAPSHOT} is deleted.'")
            assert not (tmp_path / "snapshots" / SNAPSHOT).exists()
            # Another program was faster.
            button = f"button[aria-label='Delete the recording {RECORDING}']"
            (tmp_path / "recordings" / RECORDING).unlink()
            browser.click(button)
            browser.click(button)
            browser.wait_for(f"{text_of('#history-words')}.includes('is gone')")
            browser.wait_for("document.querySelectorAll('#kept .card').length === 0")
            assert [w for w in complaints_of(browser, served) if "410" not in w] == []
